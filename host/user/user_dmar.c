// SPDX-License-Identifier: MIT
/*
 * Writes a DMAR table, field by field as "BIOS Considerations" has them; a
 * second hand, so that the reader is not tested against itself.
 */
#include <string.h>

#include "user.h"
#include "user_int.h"

static void dmar_put(struct user_dmar *dmar, uint64_t value, unsigned int bytes)
{
	if (dmar->size + bytes > sizeof(dmar->bytes))
		user_abort("the DMAR table grew too long");
	while (bytes--) {
		dmar->bytes[dmar->size++] = (uint8_t)value;
		value >>= 8;
	}
}

static void dmar_set16(struct user_dmar *dmar, size_t at, size_t value)
{
	dmar->bytes[at] = (uint8_t)value;
	dmar->bytes[at + 1] = (uint8_t)(value >> 8);
}

static void dmar_close(struct user_dmar *dmar)
{
	if (dmar->record)
		dmar_set16(dmar, dmar->record + 2, dmar->size - dmar->record);
}

static void dmar_open(struct user_dmar *dmar, unsigned int type)
{
	dmar_close(dmar);
	dmar->record = dmar->size;
	dmar_put(dmar, type, 2);
	dmar_put(dmar, 0, 2);
}

void user_dmar_begin(struct user_dmar *dmar, unsigned int width)
{
	memset(dmar, 0, sizeof(*dmar));
	memcpy(dmar->bytes, "DMAR", 4);
	dmar->size = 8;
	dmar_put(dmar, 1, 1); /* revision */
	dmar_put(dmar, 0, 1); /* checksum */
	memcpy(dmar->bytes + dmar->size, "UIOMMUUSERHOST", 14);
	dmar->size += 14;
	dmar_put(dmar, 1, 4);
	memcpy(dmar->bytes + dmar->size, "USER", 4);
	dmar->size += 4;
	dmar_put(dmar, 1, 4);
	dmar_put(dmar, width - 1, 1);
	dmar_put(dmar, 0, 1);
	dmar_put(dmar, 0, 10);
}

void user_dmar_unit(struct user_dmar *dmar, uint16_t segment, uint64_t base,
		    bool all)
{
	dmar_open(dmar, 0);
	dmar_put(dmar, all, 1);
	dmar_put(dmar, 0, 1);
	dmar_put(dmar, segment, 2);
	dmar_put(dmar, base, 8);
}

void user_dmar_reserve(struct user_dmar *dmar, uint16_t segment, uint64_t first,
		       uint64_t last)
{
	dmar_open(dmar, 1);
	dmar_put(dmar, 0, 2);
	dmar_put(dmar, segment, 2);
	dmar_put(dmar, first, 8);
	dmar_put(dmar, last, 8);
}

void user_dmar_scope(struct user_dmar *dmar, enum uiommu_scope_type type,
		     struct uiommu_sid sid)
{
	dmar_put(dmar, type, 1);
	dmar_put(dmar, 8, 1);
	dmar_put(dmar, 0, 2);
	dmar_put(dmar, 0, 1);
	dmar_put(dmar, UIOMMU_SID_BUS(sid), 1);
	dmar_put(dmar, UIOMMU_SID_DEV(sid), 1);
	dmar_put(dmar, UIOMMU_SID_FN(sid), 1);
}

void user_dmar_end(struct user_dmar *dmar)
{
	uint8_t sum = 0;

	dmar_close(dmar);
	dmar_set16(dmar, 4, dmar->size);
	dmar->bytes[9] = 0;
	for (size_t i = 0; i < dmar->size; i++)
		sum = (uint8_t)(sum + dmar->bytes[i]);
	dmar->bytes[9] = (uint8_t)-sum;
}
