/* SPDX-License-Identifier: MIT */
/*
 * Models that are not what their configuration space says: how they are
 * looked up. The data is in plan_quirk_table.c.
 */
#ifndef UIOMMU_PLAN_PLAN_QUIRK_H
#define UIOMMU_PLAN_PLAN_QUIRK_H

#include <uiommu/plan.h>

/* What a function must be for a claim to hold. */
enum plan_is {
	PLAN_IS_ANY,
	PLAN_IS_ROOT, /* a root port */
	PLAN_IS_PORT, /* a root or downstream port */
};

/* What its vendor says of it. */
enum plan_says {
	PLAN_SAYS_PEERLESS,   /* functions of its slot never reach each other */
	PLAN_SAYS_FORWARDS,   /* the port passes everything on to the root */
	PLAN_SAYS_SET_UP,     /* it does once chipset registers are set so */
	PLAN_SAYS_AMD,	      /* it does on machines with an AMD IOMMU */
	PLAN_SAYS_INTEGRATED, /* integrated, and all traffic is translated */
};

struct plan_claim {
	uint16_t vendor;
	uint16_t first; /* device ids */
	uint16_t last;
	uint8_t is;   /* enum plan_is */
	uint8_t says; /* enum plan_says */
	const char *model;
};

/* As whom a model asks, besides as itself. */
enum plan_asks {
	PLAN_ASKS_FUNCTION_0, /* function 0 of its slot */
	PLAN_ASKS_FUNCTION_1, /* function 1 of its slot */
	PLAN_ASKS_DEVICE_1,   /* device 1, function 0 of its bus */
	PLAN_ASKS_SECONDARY,  /* bridge: as a PCIe-to-PCI bridge does */
	PLAN_ASKS_MIC,	      /* 10.0, 11.0 and 12.3 of its bus */
	PLAN_ASKS_VCA,	      /* functions 0 to 4 of all of its bus */
	PLAN_ASKS_BUS,	      /* every function of its bus */
	PLAN_ASKS_TABLE,      /* ids in a table behind a BAR: any of its bus */
	PLAN_ASKS_ROOT,	      /* bridge: translation begins here */
	PLAN_ASKS_NOTHING,    /* bridge: hands on whose a request is */
};

struct plan_model {
	uint16_t vendor;
	uint16_t device;
	uint16_t subsystem_vendor; /* 0: any */
	uint16_t subsystem;
	uint16_t class_code; /* class and subclass; 0: any */
	uint8_t asks;	     /* enum plan_asks */
	const char *model;
};

/* Graphics that does not work translated: of this model, or next to it. */
struct plan_graphics {
	uint16_t device; /* of Intel */
	const char *model;
};

/* Graphics whose unit hangs when translation is turned off: a generation. */
struct plan_hang {
	uint8_t high; /* of the device id, of Intel */
	const char *model;
};

extern const struct plan_claim uiommu_plan_claims[];
extern const uint32_t uiommu_plan_claim_count;
extern const struct plan_model uiommu_plan_models[];
extern const uint32_t uiommu_plan_model_count;
extern const struct plan_graphics uiommu_plan_graphics[];
extern const uint32_t uiommu_plan_graphics_count;
extern const struct plan_hang uiommu_plan_hangs[];
extern const uint32_t uiommu_plan_hang_count;

/* Index of the claim that a whole vendor makes for integrated endpoints. */
#define PLAN_CLAIM_INTEGRATED (UIOMMU_PLAN_NONE - 1)

/* The claim that @rules accept for @function, or UIOMMU_PLAN_NONE. */
uint32_t uiommu_plan_claim(const struct uiommu_pci_function *function,
			   enum uiommu_rules rules);
/* Does it hold only once the host has set registers of the chipset? */
bool uiommu_plan_claim_hangs(uint32_t claim);
/* Its vendor lists what isolates, and @function is not on the list. */
bool uiommu_plan_disclaimed(const struct uiommu_pci_function *function);
/* Does graphics not work translated where @function is? */
bool uiommu_plan_breaks_graphics(const struct uiommu_pci_function *function);
/* Does its unit hang when translation is turned off? */
bool uiommu_plan_hangs_when_off(const struct uiommu_pci_function *function);
/* The line for @function's model, or UIOMMU_PLAN_NONE. */
uint32_t uiommu_plan_model(const struct uiommu_pci_function *function);

#endif /* UIOMMU_PLAN_PLAN_QUIRK_H */
