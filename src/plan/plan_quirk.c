// SPDX-License-Identifier: MIT
/*
 * Looks models up.
 *
 * A statement counts by what it says: that a model isolates as it is, always;
 * that it isolates once chipset registers are set, for Linux alone, which sets
 * them; that it does next to an AMD IOMMU, never, for this is none.
 */
#include "plan/plan_quirk.h"

#define PLAN_VENDOR_INTEL 0x8086
#define PLAN_VENDOR_ZHAOXIN 0x1d17
#define PLAN_VENDOR_WANGXUN 0x8088

static bool plan_is_port(const struct uiommu_pci_function *function)
{
	return function->pcie_type == UIOMMU_PCIE_ROOT_PORT ||
	       function->pcie_type == UIOMMU_PCIE_DOWNSTREAM_PORT;
}

static bool plan_claim_fits(const struct plan_claim *claim,
			    const struct uiommu_pci_function *function,
			    enum uiommu_rules rules)
{
	if (claim->vendor != function->vendor ||
	    function->device < claim->first || function->device > claim->last)
		return false;
	if (claim->is == PLAN_IS_ROOT &&
	    function->pcie_type != UIOMMU_PCIE_ROOT_PORT)
		return false;
	if (claim->is == PLAN_IS_PORT && !plan_is_port(function))
		return false;
	if (claim->says == PLAN_SAYS_PEERLESS)
		return rules == UIOMMU_RULES_LINUX ||
		       function->header_type == 0;
	if (claim->says == PLAN_SAYS_SET_UP)
		return rules == UIOMMU_RULES_LINUX;
	return claim->says == PLAN_SAYS_FORWARDS;
}

uint32_t uiommu_plan_claim(const struct uiommu_pci_function *function,
			   enum uiommu_rules rules)
{
	uint32_t i;

	for (i = 0; i < uiommu_plan_claim_count; i++) {
		if (plan_claim_fits(&uiommu_plan_claims[i], function, rules))
			return i;
	}
	if (function->vendor == PLAN_VENDOR_INTEL &&
	    function->pcie_type == UIOMMU_PCIE_INTEGRATED_ENDPOINT &&
	    (rules == UIOMMU_RULES_LINUX || function->header_type == 0))
		return PLAN_CLAIM_INTEGRATED;
	return UIOMMU_PLAN_NONE;
}

bool uiommu_plan_disclaimed(const struct uiommu_pci_function *function)
{
	if (function->vendor == PLAN_VENDOR_ZHAOXIN)
		return plan_is_port(function);
	return function->vendor == PLAN_VENDOR_WANGXUN;
}

bool uiommu_plan_breaks_graphics(const struct uiommu_pci_function *function)
{
	uint32_t i;

	if (function->vendor != PLAN_VENDOR_INTEL)
		return false;
	for (i = 0; i < uiommu_plan_graphics_count; i++) {
		if (uiommu_plan_graphics[i].device == function->device)
			return true;
	}
	return false;
}

bool uiommu_plan_hangs_when_off(const struct uiommu_pci_function *function)
{
	uint32_t i;

	if (function->vendor != PLAN_VENDOR_INTEL)
		return false;
	for (i = 0; i < uiommu_plan_hang_count; i++) {
		if (uiommu_plan_hangs[i].high == function->device >> 8)
			return true;
	}
	return false;
}

static bool plan_model_below(const struct plan_model *model,
			     const struct uiommu_pci_function *function)
{
	if (model->vendor != function->vendor)
		return model->vendor < function->vendor;
	return model->device < function->device;
}

static bool plan_model_fits(const struct plan_model *model,
			    const struct uiommu_pci_function *function)
{
	if (model->subsystem_vendor != 0 &&
	    (model->subsystem_vendor != function->subsystem_vendor ||
	     model->subsystem != function->subsystem))
		return false;
	return model->class_code == 0 ||
	       model->class_code == function->class_code >> 8;
}

uint32_t uiommu_plan_model(const struct uiommu_pci_function *function)
{
	uint32_t low = 0, high = uiommu_plan_model_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (plan_model_below(&uiommu_plan_models[middle], function))
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < uiommu_plan_model_count; low++) {
		const struct plan_model *model = &uiommu_plan_models[low];

		if (model->vendor != function->vendor ||
		    model->device != function->device)
			break;
		if (plan_model_fits(model, function))
			return low;
	}
	return UIOMMU_PLAN_NONE;
}

const char *uiommu_plan_claim_text(uint32_t detail)
{
	if (detail == PLAN_CLAIM_INTEGRATED)
		return "integrated endpoints of Intel never reach each other";
	if (detail >= uiommu_plan_claim_count)
		return "no such claim";
	switch (uiommu_plan_claims[detail].says) {
	case PLAN_SAYS_PEERLESS:
		return "its functions never reach each other";
	case PLAN_SAYS_SET_UP:
		return "it passes everything on to the root once chipset "
		       "registers are set so";
	case PLAN_SAYS_AMD:
		return "it isolates next to an AMD IOMMU";
	default:
		return "it passes everything on to the root";
	}
}

bool uiommu_plan_claim_hangs(uint32_t claim)
{
	return claim < uiommu_plan_claim_count &&
	       uiommu_plan_claims[claim].says == PLAN_SAYS_SET_UP;
}

const char *uiommu_plan_claim_model(uint32_t detail)
{
	if (detail == PLAN_CLAIM_INTEGRATED)
		return "Intel integrated endpoint";
	if (detail >= uiommu_plan_claim_count)
		return "no such claim";
	return uiommu_plan_claims[detail].model;
}

const char *uiommu_plan_alias_model(uint32_t detail)
{
	if (detail >= uiommu_plan_model_count)
		return "no such model";
	return uiommu_plan_models[detail].model;
}

const char *uiommu_plan_alias_text(uint32_t detail)
{
	if (detail >= uiommu_plan_model_count)
		return "no such model";
	switch (uiommu_plan_models[detail].asks) {
	case PLAN_ASKS_FUNCTION_0:
		return "function 0 of its slot";
	case PLAN_ASKS_FUNCTION_1:
		return "function 1 of its slot";
	case PLAN_ASKS_DEVICE_1:
		return "device 1 of its bus";
	case PLAN_ASKS_SECONDARY:
		return "device 0 of its secondary bus";
	case PLAN_ASKS_MIC:
		return "devices 10, 11 and 12 of its bus";
	case PLAN_ASKS_VCA:
		return "functions 0 to 4 of all of its bus";
	case PLAN_ASKS_BUS:
		return "every function of its bus";
	case PLAN_ASKS_TABLE:
		return "ids in a table of its own, perhaps any of its bus";
	case PLAN_ASKS_ROOT:
		return "nobody above it";
	default:
		return "nobody: it hands on whose a request is";
	}
}
