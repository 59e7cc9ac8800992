// SPDX-License-Identifier: MIT
/*
 * What is part of the machine as it was built, and what somebody plugged in.
 *
 * Firmware marks the port that leads outside, and by the strict rules all that
 * is below it came from there, unless the host knows of a switch on the board
 * (onboard_switch). Linux, since 6.13 and also as Debian 12 has it,
 * takes a switch directly below such a port, and an endpoint directly below
 * that switch, for the Thunderbolt chip on the board: the way out begins at
 * that chip. Where the chip is inside the processor the port itself is the way
 * out, and a switch below it is somebody's. Firmware says which it is, but for
 * the first processors that have it; a host that is told marks what it found
 * as untrusted.
 */
#include "plan/plan.h"

#define PLAN_VENDOR_INTEL 0x8086

/* The ports of Thunderbolt inside the processor: Ice Lake, Tiger Lake. */
static bool plan_is_tunnel(const struct uiommu_pci_function *port)
{
	static const uint16_t models[] = { 0x8a1d, 0x8a1f, 0x8a21, 0x8a23,
					   0x9a23, 0x9a25, 0x9a27, 0x9a29,
					   0x9a2b, 0x9a2d, 0x9a2f, 0x9a31 };
	uint32_t i;

	if (port->vendor != PLAN_VENDOR_INTEL)
		return false;
	for (i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		if (port->device == models[i])
			return true;
	}
	return false;
}

/* Has @function this type, and goes the way up from there? */
static uint32_t plan_up(const struct uiommu_topology *topology,
			uint32_t function, uint8_t type)
{
	if (function == UIOMMU_PCI_NONE ||
	    topology->functions[function].pcie_type != type)
		return UIOMMU_PCI_NONE;
	return uiommu_plan_above(topology, function);
}

/*
 * Is it a part of the chip below an outside port? The host says so, or Linux
 * takes it for that.
 */
static bool plan_is_built_in(const struct uiommu_topology *topology,
			     enum uiommu_rules rules, uint32_t function)
{
	uint8_t type = topology->functions[function].pcie_type;
	uint32_t port = function;

	/* To Linux what is not Express at all is an endpoint. */
	if (type == UIOMMU_PCIE_ENDPOINT || type == UIOMMU_PCI_CONVENTIONAL)
		port = uiommu_plan_above(topology, port);
	if (type != UIOMMU_PCIE_UPSTREAM_PORT)
		port = plan_up(topology, port, UIOMMU_PCIE_DOWNSTREAM_PORT);
	port = plan_up(topology, port, UIOMMU_PCIE_UPSTREAM_PORT);
	return port != UIOMMU_PCI_NONE &&
	       topology->functions[port].external_facing &&
	       (topology->functions[port].onboard_switch ||
		(rules == UIOMMU_RULES_LINUX &&
		 !plan_is_tunnel(&topology->functions[port])));
}

bool uiommu_plan_untrusted(const struct uiommu_topology *topology,
			   enum uiommu_rules rules, uint32_t function)
{
	uint32_t left = PLAN_MOST_BRIDGES;
	bool outside = false; /* if a port above leads outside */

	if (function >= topology->count)
		return false; /* soldered on: firmware names it */
	for (; left != 0; left--) {
		if (topology->functions[function].untrusted)
			return true;
		/* A port to the outside is part of the machine itself. */
		if (outside && topology->functions[function].external_facing)
			return true;
		if (!plan_is_built_in(topology, rules, function))
			outside = true;
		function = uiommu_plan_above(topology, function);
		if (function == UIOMMU_PCI_NONE)
			return false;
	}
	return true; /* no tree of this world */
}
