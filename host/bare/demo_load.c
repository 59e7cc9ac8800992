// SPDX-License-Identifier: MIT
/* The disk's reads go on while they may, stop when told, and go on again. */
#include "demo.h"

#define READS 64u
#define PAUSES 3u

void demo_load(struct demo *d)
{
	struct load *l = &d->load;
	uint64_t reads = 0;
	int err = 0;
	bool ok = true;

	if (!d->has_nvme || !l->known)
		return;
	/* From here on the controller is started and stopped with the load. */
	nvme_stop(&d->nvme);
	for (unsigned int i = 0; !err && ok && i < PAUSES; i++) {
		err = load_resume(l, &d->nvme);
		ok = !err && load_wait(l, READS);
		if (!err)
			err = load_pause(l);
		ok = ok && l->reads > reads;
		reads = l->reads;
	}
	check(!err && ok && !l->errors && !l->wrong,
	      "load: %lu reads, paused %u times, %u refused, %u wrong: %s",
	      l->reads, PAUSES, l->errors, l->wrong, uiommu_strerror(err));
	err = nvme_start(&d->nvme);
	d->has_nvme = !err;
	check(!err, "load: the disk works without it: %s",
	      uiommu_strerror(err));
}
