// SPDX-License-Identifier: MIT
/*
 * Notes and the hash table that the caches and the memory are made of.
 */
#include <stdio.h>
#include <stdlib.h>

#include "vtdm_int.h"

void vtdm_notes_add(struct vtdm_notes *n, const char *fmt, va_list ap)
{
	if (n->count < VTDM_NOTES)
		vsnprintf(n->text[n->count], sizeof(n->text[0]), fmt, ap);
	n->count++;
}

static size_t table_home(const struct vtdm_table *t, uint64_t key)
{
	/* Multiplicative hashing; the high half of the product is mixed best. */
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(key >> 32) & (t->size - 1);
}

struct vtdm_slot *vtdm_table_find(const struct vtdm_table *t, uint64_t key)
{
	size_t i;

	if (!t->used)
		return NULL;
	for (i = table_home(t, key); t->slots[i].key;
	     i = (i + 1) & (t->size - 1)) {
		if (t->slots[i].key == key)
			return &t->slots[i];
	}
	return NULL;
}

static void table_grow(struct vtdm_table *t)
{
	struct vtdm_table old = *t;
	size_t i;

	t->size = old.size ? old.size * 2 : 16;
	t->used = 0;
	t->slots = calloc(t->size, sizeof(t->slots[0]));
	if (!t->slots)
		abort(); /* a test without memory proves nothing */
	for (i = 0; i < old.size; i++) {
		if (old.slots[i].key)
			vtdm_table_put(t, old.slots[i].key, old.slots[i].val,
				       old.slots[i].aux);
	}
	free(old.slots);
}

bool vtdm_table_put(struct vtdm_table *t, uint64_t key, uint64_t val,
		    unsigned int aux)
{
	struct vtdm_slot *s = vtdm_table_find(t, key);
	bool fresh = !s;
	size_t i;

	if (fresh) {
		if ((t->used + 1) * 4 > t->size * 3)
			table_grow(t);
		i = table_home(t, key);
		while (t->slots[i].key)
			i = (i + 1) & (t->size - 1);
		s = &t->slots[i];
		t->used++;
	}
	s->key = key;
	s->val = val;
	s->aux = aux;
	return fresh;
}

bool vtdm_table_del(struct vtdm_table *t, uint64_t key)
{
	struct vtdm_slot *s = vtdm_table_find(t, key);
	size_t mask = t->size - 1;
	size_t hole, i;

	if (!s)
		return false;
	/* Close the gap, so that no search ends early at it. */
	hole = (size_t)(s - t->slots);
	for (i = (hole + 1) & mask; t->slots[i].key; i = (i + 1) & mask) {
		size_t home = table_home(t, t->slots[i].key);

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole].key = 0;
	t->used--;
	return true;
}

void vtdm_table_clear(struct vtdm_table *t)
{
	free(t->slots);
	t->slots = NULL;
	t->size = 0;
	t->used = 0;
}
