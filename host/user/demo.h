/* SPDX-License-Identifier: MIT */
/* What the files of the demonstration share. */
#ifndef USER_DEMO_H
#define USER_DEMO_H

#include "user.h"

struct demo {
	struct user_config config;
	struct user_dmar dmar;
	struct uiommu_host *host;
	struct uiommu *uiommu;
	unsigned int passed, failed;
	unsigned int kept, lost; /* looks at the reserved region */
};

void demo_check(struct demo *d, bool ok, const char *fmt, ...)
	UIOMMU_PRINTF(3, 4);

/* demo_show.c */
void demo_show_units(struct demo *d);
void demo_show_devices(struct demo *d);

#endif /* USER_DEMO_H */
