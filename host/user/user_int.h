/* SPDX-License-Identifier: MIT */
/* What the files of the user-space host share. */
#ifndef USER_USER_INT_H
#define USER_USER_INT_H

#include "user.h"

_Noreturn void user_abort(const char *what);
/* Aborts if this thread holds a spin lock: @what must not be called then. */
void user_may_sleep(const char *what);
/* Counts a call that can fail; does it? */
bool user_fails(struct uiommu_host *host);
void user_count(struct uiommu_host *host, size_t *counter, long change);

#endif /* USER_USER_INT_H */
