/* SPDX-License-Identifier: MIT */
/*
 * Topology: what PCI configuration space says of the machine, as a flat array
 * of functions in the order of their requester ids, each with the bridge above
 * it. Everything in it is copied and checked; nothing refers to hardware.
 *
 * Specifications: "PCI Local Bus", "PCI-to-PCI Bridge Architecture" and "PCI
 * Express Base", chapter "Software Initialization and Configuration".
 */
#ifndef UIOMMU_PCI_H
#define UIOMMU_PCI_H

#include <uiommu/error.h>
#include <uiommu/host.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UIOMMU_PCI_NONE ((uint32_t)0xffffffff) /* no such function */

/* Device/Port Type of the PCI Express capability; CONVENTIONAL has none. */
enum uiommu_pcie_type {
	UIOMMU_PCIE_ENDPOINT = 0,
	UIOMMU_PCIE_LEGACY_ENDPOINT = 1,
	UIOMMU_PCIE_ROOT_PORT = 4,
	UIOMMU_PCIE_UPSTREAM_PORT = 5,
	UIOMMU_PCIE_DOWNSTREAM_PORT = 6,
	UIOMMU_PCIE_TO_PCI_BRIDGE = 7,
	UIOMMU_PCI_TO_PCIE_BRIDGE = 8,
	UIOMMU_PCIE_INTEGRATED_ENDPOINT = 9,
	UIOMMU_PCIE_EVENT_COLLECTOR = 10,
	UIOMMU_PCI_CONVENTIONAL = 16,
};

/* Access Control Services, bits of capability and of control alike */
#define UIOMMU_ACS_SOURCE_VALIDATION UIOMMU_BIT32(0)
#define UIOMMU_ACS_TRANSLATION_BLOCKING UIOMMU_BIT32(1)
#define UIOMMU_ACS_REQUEST_REDIRECT UIOMMU_BIT32(2)
#define UIOMMU_ACS_COMPLETION_REDIRECT UIOMMU_BIT32(3)
#define UIOMMU_ACS_UPSTREAM_FORWARDING UIOMMU_BIT32(4)
#define UIOMMU_ACS_EGRESS_CONTROL UIOMMU_BIT32(5)
#define UIOMMU_ACS_DIRECT_TRANSLATED UIOMMU_BIT32(6)

struct uiommu_pci_function {
	struct uiommu_sid sid;
	uint16_t vendor;
	uint16_t device;
	uint32_t class_code; /* class 23:16, subclass 15:8, interface 7:0 */
	uint32_t parent;     /* index of the bridge above, or UIOMMU_PCI_NONE */
	uint8_t header_type; /* 0 endpoint, 1 bridge, 2 cardbus bridge */
	uint8_t pcie_type;   /* enum uiommu_pcie_type, or another number */
	uint8_t secondary_bus; /* bridges; 0 if firmware left it unset */
	uint8_t subordinate_bus;
	bool multifunction;	   /* function 0 says its slot holds several */
	uint16_t acs_offset;	   /* of the extended capability; 0: none */
	uint16_t acs_capability;   /* UIOMMU_ACS_* that it can do */
	uint16_t acs_control;	   /* UIOMMU_ACS_* in force */
	uint16_t ats_offset;	   /* of the extended capability; 0: none */
	uint16_t sriov_offset;	   /* of the extended capability; 0: none */
	uint16_t subsystem_vendor; /* endpoints; 0 elsewhere */
	uint16_t subsystem;
	uint8_t phantom_bits;  /* of the function number it also asks as */
	bool virtual_function; /* of the function at physical */
	bool has_requester;    /* asks as the function at requester */
	bool external_facing;  /* port to where anybody may plug in */
	bool onboard_switch;   /* facing so, above a switch soldered on */
	bool untrusted;	       /* not part of the machine as it was built */
	struct uiommu_sid physical;
	struct uiommu_sid requester;
	uint32_t domain; /* the system's number of the segment; see below */
};

struct uiommu_topology {
	struct uiommu_host *host;	       /* gives the memory */
	struct uiommu_pci_function *functions; /* ascending segment, rid */
	uint32_t count;
	uint32_t capacity;
};

/**
 * uiommu_topology_init() - begin with no function
 * @topology: caller's memory
 * @host: port instance, for memory and configuration space
 *
 * Context: any.
 */
void uiommu_topology_init(struct uiommu_topology *topology,
			  struct uiommu_host *host);

/** uiommu_topology_fini() - give back the memory; leaves it empty [sleep] */
void uiommu_topology_fini(struct uiommu_topology *topology);

/**
 * uiommu_topology_scan() - add the functions of a range of buses
 * @topology: initialised
 * @segment: PCI segment
 * @first_bus: lowest bus to look at
 * @last_bus: highest bus to look at, not below @first_bus
 *
 * A bus below no bridge of the range is taken for a root bus of its own.
 * Looping capability lists, bridges that claim each other's buses and the like
 * are met with bounds: what cannot be read sensibly counts as absent.
 *
 * After an error the topology is as it was.
 *
 * Context: sleep; reads configuration space.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - buses in the wrong order
 *   UIOMMU_EEXIST - a function of this range is in the topology already
 *   UIOMMU_ENOMEM - no memory for the array, or more than 262144 functions
 */
UIOMMU_MUST_CHECK
int uiommu_topology_scan(struct uiommu_topology *topology, uint16_t segment,
			 uint8_t first_bus, uint8_t last_bus);

/**
 * uiommu_topology_rescan() - add what has come to a range of buses
 * @topology: initialised
 * @segment: PCI segment
 * @first_bus: lowest bus to look at
 * @last_bus: highest bus to look at, not below @first_bus
 *
 * As a scan, but what is known already, whether it still answers or not, stays
 * exactly as it is and keeps what was said of it. Virtual functions count as
 * found there also if their physical function was known before, or is on a
 * lower bus. A bridge that was given other bus numbers is known with its old
 * ones: it has to be removed before.
 *
 * One thing may change in a function 0 known as alone in its slot: if it says
 * by now that there are others, and one is found, multifunction becomes true.
 * As long as it does not say so nobody else is looked for in its slot.
 *
 * Indices of functions change, parents are found anew. After an error the
 * topology is as it was.
 *
 * Context: sleep; reads configuration space.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_EINVAL - buses in the wrong order
 *   UIOMMU_ENOMEM - no memory for the array, or more than 262144 functions
 */
UIOMMU_MUST_CHECK
int uiommu_topology_rescan(struct uiommu_topology *topology, uint16_t segment,
			   uint8_t first_bus, uint8_t last_bus);

/**
 * uiommu_topology_remove() - forget one function
 * @topology: initialised
 * @sid: which; it need not be there any more
 *
 * That function alone: what is below it, and its virtual functions, stay. A
 * function below it has no parent then. Indices of functions behind it change.
 *
 * Context: any.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_ENODEV - not in the topology
 */
UIOMMU_MUST_CHECK
int uiommu_topology_remove(struct uiommu_topology *topology,
			   struct uiommu_sid sid);

/**
 * uiommu_topology_copy() - the same again, in memory of its own
 * @from: initialised
 * @to: caller's memory, with nothing in it that would have to be given back;
 *	uiommu_topology_fini() when done
 *
 * Context: sleep.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_ENOMEM - no memory for the array; @to is untouched
 */
UIOMMU_MUST_CHECK
int uiommu_topology_copy(const struct uiommu_topology *from,
			 struct uiommu_topology *to);

/**
 * uiommu_topology_below() - does a function leave with a bridge?
 * @topology: initialised
 * @bridge: index of the bridge, or of any function
 * @function: index of another, or the same
 *
 * Context: any.
 *
 * Return: true if @function is @bridge, is somewhere below it, or is a virtual
 *   function of one that is; false if one of the two is no index.
 */
bool uiommu_topology_below(const struct uiommu_topology *topology,
			   uint32_t bridge, uint32_t function);

/**
 * uiommu_topology_find() - look a function up
 * @topology: initialised
 * @sid: which
 *
 * Context: any.
 *
 * Return: its index, or UIOMMU_PCI_NONE.
 */
uint32_t uiommu_topology_find(const struct uiommu_topology *topology,
			      struct uiommu_sid sid);

/**
 * uiommu_topology_set_physical() - say that a function is a virtual one
 * @topology: scanned
 * @sid: the virtual function
 * @physical: its physical function
 *
 * A scan finds by itself the virtual functions that are enabled and on its
 * buses; this is for those it could not see.
 *
 * Context: any.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_ENODEV - one of the two is not in the topology
 */
UIOMMU_MUST_CHECK
int uiommu_topology_set_physical(struct uiommu_topology *topology,
				 struct uiommu_sid sid,
				 struct uiommu_sid physical);

/**
 * uiommu_topology_set_requester() - say that a function asks as another
 * @topology: scanned
 * @sid: the function, of any segment
 * @requester: the one whose requester id its requests bear; a volume
 *	management device for what is behind it
 *
 * Context: any.
 *
 * Return: UIOMMU_OK, or
 *   UIOMMU_ENODEV - one of the two is not in the topology
 *   UIOMMU_EINVAL - @requester is @sid or asks as another itself, or
 *     another asks as @sid
 */
UIOMMU_MUST_CHECK
int uiommu_topology_set_requester(struct uiommu_topology *topology,
				  struct uiommu_sid sid,
				  struct uiommu_sid requester);

/**
 * uiommu_topology_set_domain() - the system's own number of a segment
 * @topology: scanned
 * @segment: as scanned
 * @domain: what the system calls it; firmware cannot name one above 0xffff,
 *	so no scope and no catch-all unit matches its functions
 *
 * Context: any.
 */
void uiommu_topology_set_domain(struct uiommu_topology *topology,
				uint16_t segment, uint32_t domain);

/**
 * uiommu_topology_isoch_without_tlb() - does a known chipset starve its audio?
 * @topology: scanned
 *
 * Intel's 5500, 5520 and X58 (Tylersburg) have a unit of its own for
 * isochronous traffic. Firmware that routes the audio function of the ICH10
 * to it and gives it no TLB entries leaves the audio without any memory in
 * time: it needs identity. For isoch_without_tlb of the plan's input.
 *
 * Context: sleep; reads configuration space of that chipset alone.
 *
 * Return: true if the machine is one of these.
 */
bool uiommu_topology_isoch_without_tlb(const struct uiommu_topology *topology);

/* What firmware set aside for graphics that a unit translates. */
enum uiommu_ggc {
	UIOMMU_GGC_UNKNOWN = 0, /* another chipset, or the register is hidden */
	UIOMMU_GGC_NO_SHADOW,	/* nothing: its unit must stay off */
	UIOMMU_GGC_SHADOW,	/* the second table that it needs */
};

/**
 * uiommu_topology_ggc_bridge() - the host bridge whose register says that
 * @topology: scanned
 *
 * Context: any.
 *
 * Return: index of the first host bridge of a known model (Intel's Calpella),
 *   or UIOMMU_PCI_NONE.
 */
uint32_t uiommu_topology_ggc_bridge(const struct uiommu_topology *topology);

/**
 * uiommu_topology_ggc() - did firmware prepare graphics for its unit?
 * @topology: scanned
 *
 * For ggc of the plan's input.
 *
 * Context: sleep; reads configuration space of that host bridge alone.
 *
 * Return: what the register says, UIOMMU_GGC_UNKNOWN if there is none.
 */
enum uiommu_ggc uiommu_topology_ggc(const struct uiommu_topology *topology);

/**
 * uiommu_topology_enable_acs() - turn on what isolates devices in bridges
 * @topology: scanned; acs_control is brought up to date
 *
 * In every function with an ACS capability sets source validation, request
 * and completion redirect and upstream forwarding as far as it has them, and
 * leaves the other bits alone. Writes only where a bit changes.
 *
 * Context: sleep; writes configuration space. Before devices do DMA with each
 * other on purpose.
 */
void uiommu_topology_enable_acs(struct uiommu_topology *topology);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_PCI_H */
