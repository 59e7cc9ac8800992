// SPDX-License-Identifier: MIT
/*
 * Locks that check their rules: no recursion, released by whoever holds them,
 * nothing that sleeps under a spin lock.
 */
#include <stdlib.h>

#include "user.h"
#include "user_int.h"

#define LOCK_STATE 0x10c4u /* what acquire returned must come back */

struct uiommu_lock {
	pthread_mutex_t mutex;
	pthread_t holder;
	int held;
	enum uiommu_lock_kind kind;
};

/* Spin locks this thread holds. */
static _Thread_local unsigned int lock_spins;

void user_may_sleep(const char *what)
{
	if (!lock_spins)
		return;
	fprintf(stderr, "user host: a spin lock is held: ");
	user_abort(what);
}

struct uiommu_lock *uiommu_host_lock_create(struct uiommu_host *host,
					    enum uiommu_lock_kind kind)
{
	struct uiommu_lock *lock;

	user_may_sleep("lock_create");
	if (user_fails(host))
		return NULL;
	lock = calloc(1, sizeof(*lock));
	if (!lock || pthread_mutex_init(&lock->mutex, NULL))
		user_abort("no memory for a lock");
	lock->kind = kind;
	user_count(host, &host->locks, 1);
	return lock;
}

void uiommu_host_lock_destroy(struct uiommu_host *host,
			      struct uiommu_lock *lock)
{
	user_may_sleep("lock_destroy");
	if (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
		user_abort("lock_destroy: the lock is held");
	pthread_mutex_destroy(&lock->mutex);
	free(lock);
	user_count(host, &host->locks, -1);
}

unsigned long uiommu_host_lock_acquire(struct uiommu_lock *lock)
{
	/* Only this thread can have written its own name there. */
	if (__atomic_load_n(&lock->held, __ATOMIC_ACQUIRE) &&
	    pthread_equal(__atomic_load_n(&lock->holder, __ATOMIC_RELAXED),
			  pthread_self()))
		user_abort("lock_acquire: this thread holds the lock already");
	if (lock->kind == UIOMMU_LOCK_MUTEX)
		user_may_sleep("lock_acquire of a mutex");
	pthread_mutex_lock(&lock->mutex);
	__atomic_store_n(&lock->holder, pthread_self(), __ATOMIC_RELAXED);
	__atomic_store_n(&lock->held, 1, __ATOMIC_RELEASE);
	lock_spins += lock->kind == UIOMMU_LOCK_SPIN;
	return LOCK_STATE;
}

void uiommu_host_lock_release(struct uiommu_lock *lock, unsigned long state)
{
	if (state != LOCK_STATE)
		user_abort("lock_release: not what acquire returned");
	if (!__atomic_load_n(&lock->held, __ATOMIC_ACQUIRE) ||
	    !pthread_equal(__atomic_load_n(&lock->holder, __ATOMIC_RELAXED),
			   pthread_self()))
		user_abort("lock_release: this thread does not hold the lock");
	lock_spins -= lock->kind == UIOMMU_LOCK_SPIN;
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock->mutex);
}
