#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plants defects one by one and expects the tests to notice: run.py [NAME...]

Each defect is an exact text of the sources and what to put in its place; a
text that is not found exactly once is an error, so that no defect is lost when
the sources change. The sources are compiled in a temporary folder; the test
program must pass as they are, and fail with each defect in them.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CC = os.environ.get("CC", "cc").split()
FLAGS = ["-std=c11", "-O1", "-w", "-D_GNU_SOURCE", "-Iinclude", "-Isrc",
         "-Imodel", "-Ihost/user", "-Itests/core", "-Itests/common",
         "-Itests/dma", "-Itests/change", "-Itests/vtd"]
LIBS = ["-lcmocka", "-lpthread"]
TIMEOUT = 60
SEED = "20260731"


class Family:
    """Programs with a main() of their own that share all other sources"""

    def __init__(self, programs, shared, without="-"):
        self.programs = programs
        self.shared = shared
        self.without = without  # sources that have a stand-in

    def parts(self, program):
        names = [n for n in library() if not n.startswith(self.without)]
        return [*names, "tests/core/machine.c", *self.shared, program]


# On the software VT-d, and on a driver of no hardware.
MODEL = Family(["tests/mutation/mutation_test.c", "tests/dma/identity_test.c",
                "tests/dma/bounce_test.c", "tests/dma/bounce_sg_test.c"],
               ["tests/dma/stack.c"])
LIFE = Family(["tests/change/life_test.c"],
              ["tests/change/life.c", "tests/change/life_look.c"])
CORE = Family([f"tests/core/{name}_test.c" for name in
               ("owner", "hotplug", "change", "refuse", "sweep")],
              ["tests/core/fake.c", "tests/core/watch.c"], "src/vtd/")
VTD = Family(["tests/vtd/adopt_test.c", "tests/vtd/damaged_test.c",
              "tests/vtd/takeover_test.c"],
             ["tests/vtd/kinds.c", "tests/vtd/old.c", "tests/vtd/rig.c",
              "tests/vtd/world.c"])
# The same under the whole stack.
INHERIT = Family(["tests/change/inherit_test.c", "tests/change/barred_test.c"],
                 ["tests/change/inherit.c", "tests/vtd/old.c",
                  "tests/vtd/rig.c"])
# When that fails.
FIRST = Family(["tests/change/first_test.c"],
               ["tests/change/first.c", *INHERIT.shared])
# And what two threads do at once.
RACE = Family(["tests/change/race_test.c"], INHERIT.shared)
# And on several units.
UNITS = Family(["tests/change/units_start_test.c", "tests/change/units_test.c"],
               ["tests/change/units.c", *INHERIT.shared])

# Through a loss of power: the driver alone, and the whole stack.
POWER = (Family(["tests/vtd/power_test.c", "tests/vtd/shutdown_test.c"],
                ["tests/vtd/rig.c", "tests/vtd/kinds.c"]),
         Family(["tests/dma/power_test.c"], ["tests/dma/stack.c"]))
FAMILIES = (MODEL, CORE, LIFE, VTD, INHERIT, FIRST, RACE, UNITS, *POWER)

# name, file, text, replacement
DEFECTS = [
    ("no IOTLB invalidation", "src/vtd/vtd_domain.c",
     "	if (!gather->count)\n		return UIOMMU_OK;\n",
     "	if (gather)\n		return UIOMMU_OK;\n"),
    ("no context invalidation", "src/vtd/vtd_context.c",
     "	err = uiommu_vtd_run(u, descs, count);\n",
     "	err = uiommu_vtd_run(u, descs + contexts, count - contexts);\n"),
    ("no clean of table entries", "src/pt/pt_table.h",
     "	if (!pt->config.coherent)\n", "	if (!pt)\n"),
    ("no clean of contexts", "src/vtd/vtd_unit.h",
     "	if (!u->caps.coherent)\n", "	if (!u)\n"),
    ("no write-buffer flush", "src/vtd/vtd_unit.c",
     "	if (!u->caps.write_buffer)\n", "	if (u)\n"),
    ("mask one bit short", "src/vtd/vtd_iotlb.c",
     "	return vtd_iotlb_bits((range.first ^ range.last) >> 12);\n",
     "	return vtd_iotlb_bits((range.first ^ range.last) >> 13);\n"),
    ("mask from the length alone", "src/vtd/vtd_iotlb.c",
     "	return vtd_iotlb_bits((range.first ^ range.last) >> 12);\n",
     "	return vtd_iotlb_bits((range.last - range.first) >> 12);\n"),
    ("translation on before contexts", "src/core/start.c",
     "	uiommu->driver_started = true;\n",
     "	uiommu->driver_started = true;\n"
     "	err = driver->ops->enable(driver);\n"
     "	if (err)\n		return err;\n"),
    ("devices blocked before translation is off", "src/core/start.c",
     "	if (uiommu->driver_started && driver->ops->disable)\n",
     "	if (!uiommu)\n"),
    ("table page freed early", "src/core/domain.c",
     "	int err = driver->ops->invalidate(driver, &domain->hw, gather);\n",
     "	int err = (uiommu_gather_free(&domain->hw.pt, gather),\n"
     "		   driver->ops->invalidate(driver, &domain->hw, gather));\n"),
    ("one-shot bit written back", "src/vtd/vtd_unit.c",
     "	value &= VTD_GSTS_STICKY;\n", ""),
    ("leaf-only hint although tables went", "src/vtd/vtd_iotlb.c",
     "						  !gather->tables);\n",
     "						  true);\n"),
    ("queue is not waited for", "src/vtd/vtd_queue.c",
     "	if (ticket->done)\n", "	if (ticket)\n"),
    ("no address to invalidate by register", "src/vtd/vtd_iotlb.c",
     "		uiommu_host_mmio_write64(u->mmio, iva, desc.hi);\n",
     "		uiommu_host_mmio_write64(u->mmio, iva, 0);\n"),
    ("absent entries not forgotten after map", "src/core/domain.c",
     "	if (!domain->hw.map_sync)\n", "	if (domain)\n"),
    ("absent contexts not forgotten", "src/vtd/vtd_context.c",
     "	if (u->caps.caching)\n", "	if (!u)\n"),
    ("no context entry between two domains", "src/vtd/vtd_context.c",
     "	if (!value.lo || !vtd_context_at_once(u, at, value))\n",
     "	if (u || !vtd_context_at_once(u, at, value))\n"),
    ("aliases left out", "src/core/device.c",
     "	device->hw.sid_count = from->alias_count;\n",
     "	device->hw.sid_count = 1;\n"),
    ("direction ignored", "src/dma/dma_map.c",
     "				    (unsigned int)dir, &page);\n",
     "				    3u, &page);\n"),
    ("direct regions not mapped", "src/core/region.c",
     "		if (uiommu_core_is_direct(&regions[i]))\n"
     "			found =",
     "		if (!&regions[i])\n			found ="),
    ("host bridge's window not reserved", "src/core/region.c",
     "	return region_reserve_windows(uiommu, edition, index, domain);\n",
     "	return UIOMMU_OK;\n"),
    ("regions not reserved", "src/core/region.c",
     "	regions = uiommu_core_regions(edition, index, &count);\n"
     "	for (i = 0; i < count; i++) {\n"
     "		err = uiommu_iova_reserve(",
     "	regions = uiommu_core_regions(edition, index, &count);\n"
     "	for (i = count; i < count; i++) {\n"
     "		err = uiommu_iova_reserve("),
    ("identity one page beyond RAM", "src/core/ram.c",
     "	pages->last = ((range.last + 1) & ~UIOMMU_PAGE_MASK) - 1;\n",
     "	pages->last = (range.last + 1) | UIOMMU_PAGE_MASK;\n"),
    ("identity freed with a group's domain", "src/core/domain.c",
     "	domain_end(domain);\n	uiommu_pool_free",
     "	domain_end(domain);\n"
     "	if (uiommu->identity.hw.pt.root)\n"
     "		static_fini(&uiommu->identity);\n"
     "	uiommu_pool_free"),
    ("identity without direct regions", "src/core/group.c",
     "	if (identity->hw.pt.root) {\n", "	if (!identity) {\n"),
    ("interrupt window mapped in identity", "src/core/identity.c",
     "	while (uiommu_core_part(regions, count, range, &part)) {\n",
     "	count = 0;\n"
     "	while (uiommu_core_part(regions, count, range, &part)) {\n"),
    ("units not told of RAM that was added", "src/core/domain.c",
     "	if (!domain->hw.map_sync)\n",
     "	if (!domain->hw.map_sync || domain->hw.pt.root ==\n"
     "	    domain->uiommu->identity.hw.pt.root)\n"),
    ("RAM added is remembered and not mapped", "src/core/identity.c",
     "	err = uiommu_core_map_runs(identity, &runs);\n",
     "	err = UIOMMU_OK;\n"),
    ("a unit for displays turned on", "src/core/start.c",
     "		if (plan->reasons[i].rule == "
     "UIOMMU_RULE_UNIT_GRAPHICS_OFF)\n",
     "		if (!plan)\n"),
    ("units turned on against the option", "src/core/start.c",
     "		driver->ops->leave(driver, i, plan->off);\n",
     "		driver->ops->leave(driver, i, false);\n"),
    ("protected memory of a unit left alone", "src/vtd/vtd.c",
     "			(void)!uiommu_vtd_unit_open_memory(u);\n",
     "			continue;\n"),
    ("addresses free before the last page", "src/dma/dma_map.c",
     "	struct uiommu_range range = { first, first + (size - 1) };\n",
     "	struct uiommu_range range = { first, first + (size - 1) };\n"
     "	if (size > 4096)\n		range.last -= 4096;\n"),
    ("bounced data is not copied back", "src/dma/dma_bounce.c",
     "		if (!(bounce->dir & UIOMMU_DMA_FROM_DEVICE))\n",
     "		if (bounce)\n"),
    ("what the device is to fill is not copied in", "src/dma/dma_bounce.c",
     "	err = bounce_copy(bounce, 0, size, true);\n",
     "	if (dir != UIOMMU_DMA_FROM_DEVICE)\n"
     "		err = bounce_copy(bounce, 0, size, true);\n"
     "	else\n		err = UIOMMU_OK;\n"),
    ("whole slots copied", "src/dma/dma_bounce.c",
     "	uint8_t *cpu = bounce->cpu + "
     "(bounce->paddr & UIOMMU_PAGE_MASK) + at;\n",
     "	uint64_t more = size == bounce->size ? "
     "bounce->paddr & UIOMMU_PAGE_MASK : 0;\n"
     "	uint8_t *cpu = bounce->cpu + "
     "(bounce->paddr & UIOMMU_PAGE_MASK) + at - more;\n"
     "	at -= more;\n	size += more;\n"),
    ("offset in the page lost", "src/dma/bounce.h",
     "	return bounce->slot + (bounce->paddr & UIOMMU_PAGE_MASK);\n",
     "	return bounce->slot;\n"),
    ("slots beyond the device's reach", "src/dma/dma_bounce.c",
     "		uiommu->host, slot_size, device->dma_mask,",
     "		uiommu->host, slot_size, ~(uint64_t)0,"),
    ("a slot continues a segment", "src/dma/dma_sg.c",
     "		report.end = 1;\n"
     "		sg_put(&report, uiommu_bounce_iova(",
     "		sg_put(&report, uiommu_bounce_iova("),
    ("slots of half a list kept", "src/dma/dma_sg.c",
     "			uiommu_bounce_undo(device->uiommu, &list);\n", ""),
    ("slots kept over a stop", "src/core/start.c",
     "	uiommu_bounces_drop(uiommu);\n", ""),
]

# What changes while devices are at work.
CHANGES = [
    ("roll-back skipped", "src/core/group.c",
     "			group_roll_back(group, device);\n", ""),
    ("attached before direct regions are mapped", "src/core/group.c",
     "	if (!err)\n"
     "		err = uiommu_core_map_direct(uiommu, edition, group->place,\n"
     "					     made, &runs);\n",
     "	if (!err && group->domain)\n"
     "		err = uiommu_core_group_move(group, made);\n"
     "	if (!err)\n"
     "		err = uiommu_core_map_direct(uiommu, edition, group->place,\n"
     "					     made, &runs);\n"),
    ("who joins brings no region", "src/core/apply.c",
     "	if (!err)\n"
     "		err = uiommu_core_map_direct(uiommu, next, group->place, "
     "domain,\n"
     "					     &group->direct);\n", ""),
    ("an alias forgotten", "src/vtd/vtd_context.c",
     "		/* Untouched if right: a device that shares it may use it. "
     "*/\n		if (",
     "		if (i > 0 || "),
    ("old domain freed before all moved", "src/core/change.c",
     "	err = uiommu_core_group_move(group, domain);\n",
     "	if (old->owner)\n		uiommu_core_domain_free(old);\n"
     "	err = uiommu_core_group_move(group, domain);\n"),
    ("published before moved", "src/core/device.c",
     "	if (!device->uses || device->paused || device->hw.inherited)\n",
     "	if (!device->uses || device->hw.inherited)\n"),
    ("not barred", "src/core/device.c",
     "	made->barred = from->barred;\n", "	made->barred = false;\n"),
    ("idle check skipped", "src/core/change.c",
     "	if (!err)\n		err = change_check_idle(group);\n", ""),
    ("nobody is paused", "src/core/change.c",
     "		if (!device->uses || device == asker)\n",
     "		if (device)\n"),
    ("claimed and not blocked", "src/core/owner.c",
     "		err = owner_refuse(group);\n"
     "	if (err)\n		return err;\n	owner_relax(",
     "		err = UIOMMU_OK;\n"
     "	if (err)\n		return err;\n	owner_relax("),
    ("detached to the default domain", "src/core/owner.c",
     "		err = owner_refuse(group);\n	uiommu_core_unlock",
     "		err = uiommu_core_group_move(group, "
     "group->default_domain);\n	uiommu_core_unlock"),
    ("claimed while in use", "src/core/owner.c",
     "		group->uses++;\n", "		group->uses += 0;\n"),
    ("removed while claimed", "src/core/hotplug.c",
     "	if (device->group && device->group->owner)\n",
     "	if (!device)\n"),
    ("a domain freed while a device is stuck in it", "src/core/domain.c",
     "	if (!domain_stuck(domain))\n", "	if (domain)\n"),
    ("barred for good", "src/core/group.c",
     "	group_rejudge(group);\n", ""),
    ("a reset that refuses nothing", "src/core/device.c",
     "	if (device->barred || device->resetting)\n",
     "	if (device->barred)\n"),
    ("a reset that cuts firmware off", "src/core/refuse.c",
     "	err = device->hw.direct ? UIOMMU_OK : "
     "uiommu_core_device_place(device);\n",
     "	err = uiommu_core_device_place(device);\n"),
    ("who joins at work not kept apart", "src/core/apply.c",
     "		uiommu_core_group_apart(group, domain);\n", ""),
    ("who inherited rolled back to what it never had", "src/core/group.c",
     "		    (device->uprooted ||\n", "		    (\n"),
    ("a view freed while it is held", "src/core/view.c",
     "	if (old && old->holders) {\n", "	if (!uiommu) {\n"),
]

# What another kernel left translating.
TAKEOVER = [
    ("an inherited domain id used again", "src/vtd/vtd_domain.c",
     "	if (u->inherited)\n", "	if (!u)\n"),
    ("identity under an inherited id", "src/vtd/vtd_adopt.c",
     "	if (vtd_bit(u->inherited->dids, VTD_DID_IDENTITY) &&\n",
     "	if (!u &&\n"),
    ("translation toggled", "src/vtd/vtd_unit.c",
     "	return u->found.translating && !u->adopted && "
     "!vtd_unit_follows(u);\n",
     "	return u->found.translating && !vtd_unit_follows(u);\n"),
    ("old translations not flushed", "src/vtd/vtd_context.c",
     "	err = uiommu_vtd_run(u, descs, count);\n",
     "	err = dev->hw->inherited ? UIOMMU_OK\n"
     "				 : uiommu_vtd_run(u, descs, count);\n"),
    ("flushed by the new id", "src/vtd/vtd_context.c",
     "			(uint32_t)UIOMMU_GET64(VTD_CC_LO_DID, descs[i].lo));\n",
     "			dev->domain ? uiommu_vtd_domain_id(dev->domain, u)"
     " : 0);\n"),
    ("attached at start", "src/vtd/vtd.c",
     "	dev->inherited = uiommu_vtd_inherits(v);\n",
     "	dev->inherited = uiommu_vtd_inherits(v);\n"
     "	(void)!uiommu_vtd_context_update(v);\n"),
    ("aliases not looked at", "src/vtd/vtd_context.c",
     "		/* Untouched if right: a device that shares it may use it. "
     "*/\n		if (",
     "		if ((i > 0 && dev->hw->inherited) || "),
    ("marks of aliases kept", "src/vtd/vtd_adopt.c",
     "		if (!vtd_bit(u->inherited->rids, rid) ||\n",
     "		if (i || !vtd_bit(u->inherited->rids, rid) ||\n"),
    ("who was refused attached at start", "src/vtd/vtd_adopt.c",
     "		return !vtd_inherits_nothing(dev);\n",
     "		return vtd_bit(u->inherited->rids, "
     "dev->hw->sids[0].rid);\n"),
    ("an id had again too early", "src/vtd/vtd_adopt.c",
     "		if (vtd_bit(u->inherited->rids, rid))\n"
     "			vtd_bit_set(",
     "		if (!u)\n			vtd_bit_set("),
    ("a shared entry taken by who is refused", "src/vtd/vtd_context.c",
     "		return *inherited;\n", "		return none;\n"),
    ("the host's interrupt remapping off at the end", "src/vtd/vtd_unit.c",
     "	       uiommu_host_mmio_read64(u->mmio, VTD_IRTA) == u->irta;\n",
     "	       u->irta == u->irta;\n"),
    ("remapping that is not taken over off at the end", "src/vtd/vtd_unit.c",
     "	u->remaps = u->remaps && u->ran && u->found.remapping;\n",
     "	u->remaps = u->remaps && u->found.remapping;\n"),
    ("what ran before a start that failed forgotten", "src/vtd/vtd_adopt.c",
     "	return u->ran;\n", "	return u->found.translating;\n"),
    ("no other id for identity", "src/vtd/vtd_domain.c",
     "		if (!did && uiommu_vtd_ids_alloc(u, &did))\n",
     "		if (identity ? !did : uiommu_vtd_ids_alloc(u, &did))\n"),
    ("who came later waits, too", "src/vtd/vtd_adopt.c",
     "		return !vtd_inherits_nothing(dev);\n",
     "		return true;\n"),
    ("a shared entry left to nobody", "src/vtd/vtd.c",
     "		uiommu_vtd_context_left(v);\n", "		(void)v;\n"),
    ("units that stay on turned on first", "src/vtd/vtd.c",
     "	err = vtd_enable_those(d, false);\n	if (!err)\n"
     "		err = vtd_enable_those(d, true);\n",
     "	err = vtd_enable_those(d, true);\n	if (!err)\n"
     "		err = vtd_enable_those(d, false);\n"),
    ("the host's own interrupt remapping off", "src/vtd/vtd_unit.c",
     "	u->remaps = u->remaps && u->ran && u->found.remapping;\n",
     "	u->remaps = u->ran && u->found.remapping;\n"),
    ("remapping forgotten by a stop", "src/vtd/vtd_unit.c",
     "		if (u->driver->enabled && uiommu_vtd_unit_remaps(u) &&\n",
     "		if (!u &&\n"),
    ("blocked leaves what was inherited", "src/vtd/vtd_domain.c",
     "	if (new != old || dev->inherited) {\n", "	if (new != old) {\n"),
    ("what was never attached is refused at the end", "src/vtd/vtd.c",
     " && !v->unit->held && !dev->inherited &&\n",
     " && !v->unit->held &&\n"),
    ("root switched without invalidations", "src/vtd/vtd_unit.c",
     "	if (err || u->caps.root_flushes)\n",
     "	if (err || u->caps.root_flushes || u->adopted)\n"),
    ("old tables not given back", "src/vtd/vtd_unit.c",
     "	if (!u->driver->enabled && vtd_unit_kept(u)) {\n",
     "	if (!u) {\n"),
    ("a root switched before contexts stand", "src/vtd/vtd_unit.c",
     "	if (!u->enabled && vtd_unit_follows(u))\n", "	if (!u)\n"),
    ("other tables followed while they are on", "src/vtd/vtd_unit.c",
     "	if (uiommu_vtd_wanted(u) && uiommu_vtd_stays_on(u) &&\n",
     "	if (!u &&\n"),
    ("refusal for what is in use alone", "src/vtd/vtd.c",
     "		err = uiommu_vtd_unit_check(u);\n",
     "		if (uiommu_vtd_wanted(u))\n"
     "			err = uiommu_vtd_unit_check(u);\n"),
    ("interrupt remapping kept in a reset", "src/vtd/vtd_unit.c",
     "	if (u->adopted || !uiommu_vtd_unit_remaps(u))\n", "	if (u)\n"),
    ("interrupt remapping of who was adopted off", "src/vtd/vtd_unit.c",
     "	if (u->adopted || !uiommu_vtd_unit_remaps(u))\n",
     "	if (!uiommu_vtd_unit_remaps(u))\n"),
    ("a first attach that fails refuses", "src/vtd/vtd_context.c",
     "		if (old)\n			value = *old;\n", ""),
    ("faults recorded where they were not to be", "src/vtd/vtd_adopt.c",
     "			e->lo &= VTD_CTX_LO_FPD;\n", "			e->lo = 0;\n"),
    ("scalable tables read as legacy ones", "src/vtd/vtd_adopt.c",
     "	if (u->found.root & VTD_RTADDR_TTM) {\n", "	if (!u) {\n"),
    ("a bus beyond memory an obstacle", "src/vtd/vtd_adopt.c",
     "	if (err && e.lo & a->beyond) {\n", "	if (!u) {\n"),
    ("root entries not checked", "src/vtd/vtd_adopt.c",
     "	if (e.lo & VTD_ROOT_LO_RSVD || e.hi) {\n",
     "	if (e.lo & VTD_ROOT_LO_RSVD) {\n"),
    ("an unreadable bus left out", "src/vtd/vtd_adopt.c",
     "	if (err || !vtd_adopt_entries(a, bus))\n		return err;",
     "	if (err || !vtd_adopt_entries(a, bus))\n		return 0;"),
    ("refused entries copied", "src/vtd/vtd_adopt.c",
     "	    e.hi & (VTD_CTX_HI_RSVD_LOW | VTD_CTX_HI_RSVD_HIGH) ||\n",
     ""),
    ("hardware touched before all is there", "src/vtd/vtd_unit.c",
     "	return err ? err : uiommu_vtd_takeover(u);\n",
     "	uiommu_vtd_fault_start(u);\n"
     "	return err ? err : uiommu_vtd_takeover(u);\n"),
    ("devices not withheld", "src/vtd/vtd_adopt.c",
     "	u->withheld = u->driver->takeover_block;\n", ""),
]

# What it means for whole devices.
INHERITED = [
    ("barred and claimed, and another kernel's work goes on",
     "src/core/owner.c",
     "		if (!device->barred || !device->hw.inherited)\n",
     "		if (device)\n"),
    ("addresses begin where another kernel's do", "src/core/group.c",
     "	uiommu_core_group_apart(group, made);\n", ""),
    ("a first attach that fails is tried for ever", "src/core/device.c",
     "			uiommu_store(&device->dma, &device->uiommu->blocked);\n",
     "			uiommu_store(&device->dma, NULL);\n"),
]

# When whole devices leave what another kernel left, and who hears of it.
DEFERRED = [
    ("nobody waits to be asked for", "src/core/device.c",
     "	if (device->hw.inherited && !device->resetting &&\n"
     "	    !device->group->owner) {\n", "	if (!device) {\n"),
    ("a new type moves who did not ask", "src/core/group.c",
     "	return device->hw.inherited && !group->owner &&\n",
     "	return !group &&\n"),
    ("nothing but a first call ends what was inherited",
     "src/core/group.c",
     "	return device->hw.inherited && !group->owner &&\n"
     "	       domain != uiommu_core_refusal(group) &&\n"
     "	       domain != &group->uiommu->blocked;\n",
     "	return device->hw.inherited;\n"),
    ("nobody moves with the group", "src/core/group.c",
     "	return device->hw.inherited && !group->owner &&\n"
     "	       domain != uiommu_core_refusal(group) &&\n"
     "	       domain != &group->uiommu->blocked;\n",
     "	return true;\n"),
    ("a driver is waited for whose calls wait", "src/core/change.c",
     "	return device->hw.inherited || "
     "uiommu_load(&device->arriving);\n",
     "	return device->hw.inherited;\n"),
    ("a driver is waited for that has yet to call", "src/core/change.c",
     "	return device->hw.inherited || "
     "uiommu_load(&device->arriving);\n",
     "	return uiommu_load(&device->arriving);\n"),
    ("calls wait although a reset ended it", "src/core/refuse.c",
     "	uiommu_core_device_publish(device);\n", ""),
    ("a call waits although all is there", "src/core/device.c",
     "	uiommu_barrier();\n"
     "	*domain = uiommu_load(&device->dma);\n",
     "	uiommu_barrier();\n	*domain = NULL;\n"),
    ("two first calls at once", "src/core/device.c",
     "		state = uiommu_core_lock(device->uiommu);\n"
     "		err = device_arrive(device);\n"
     "		*domain = uiommu_load(&device->dma);\n"
     "		uiommu_core_unlock(device->uiommu, state);\n",
     "		(void)state;\n"
     "		err = device_arrive(device);\n"
     "		*domain = uiommu_load(&device->dma);\n"),
    ("an address before the device is there", "src/core/device.c",
     "		err = uiommu_core_device_attach(device, "
     "device->domain);\n",
     "		uiommu_store(&device->dma, device->domain);\n"
     "		err = uiommu_core_device_attach(device, "
     "device->domain);\n"),
    ("who waits is taken along on the way back", "src/core/group.c",
     "		if (group_carries(device) && "
     "!device->hw.inherited &&\n",
     "		if (group_carries(device) &&\n"),
    ("no way back when a plan cannot be had", "src/core/change.c",
     "	if (uiommu_core_group_move(group, old) &&\n"
     "	    group->domain != &uiommu->blocked)\n", "	if (!old)\n"),
    ("a domain made in vain stays", "src/core/change.c",
     "	if (err)\n		uiommu_core_group_drop(group, domain);\n",
     ""),
    ("addresses taken in vain stay", "src/dma/dma_map.c",
     "	if (!stuck)\n"
     "		uiommu_dma_iova_free(domain, range.first, size);\n"
     "	return err;\n", "	return err;\n"),
    ("blocked although it is not claimed", "src/core/owner.c",
     "	err = uiommu_core_claim_check(group);\n"
     "	if (!err)\n		err = owner_refuse(group);\n"
     "	if (err)\n",
     "	err = owner_refuse(group);\n"
     "	if (!err)\n		err = uiommu_core_claim_check(group);\n"
     "	if (err)\n"),
    ("a dead kernel's for ever, for a region", "src/vtd/vtd_domain.c",
     "	if (dev->hw->inherited) {\n		uiommu_log(",
     "	if (!dev) {\n		uiommu_log("),
    ("addresses for who is where it was", "src/core/device.c",
     "	if (!device->uses || device->paused || "
     "device->hw.inherited)\n",
     "	if (!device->uses || device->paused)\n"),
]

# Some units adopted, some not, through a start that fails, and asleep.
SEVERAL = [
    ("only who is adopted is handed back", "src/vtd/vtd_unit.c",
     "	       (u->adopted || vtd_unit_follows(u));\n",
     "	       u->adopted;\n"),
    ("what is not to be used goes off before all is there",
     "src/vtd/vtd.c",
     "	d->started = true;\n",
     "	d->started = true;\n"
     "	for (u = d->units; u; u = u->next)\n"
     "		if (!uiommu_vtd_wanted(u))\n"
     "			uiommu_vtd_unit_disable(u);\n"),
    ("what nobody uses stays as firmware turned it on",
     "src/vtd/vtd_power.c",
     "		if (!u->started)\n			uiommu_vtd_unit_disable(u);\n",
     ""),
    ("a device waits for a unit that is gone", "src/core/power.c",
     "		device->hw.inherited = false; /* nothing is to come "
     "of it */\n", ""),
    ("asked for while asleep", "src/core/device.c",
     "		if (device->uiommu->suspended)\n"
     "			return UIOMMU_EBUSY;\n", ""),
    ("gone without a word", "src/vtd/vtd_power.c",
     "		return uiommu_vtd_broken(u) ? UIOMMU_EIO : UIOMMU_OK;\n",
     "		return UIOMMU_OK;\n"),
    ("memory of a dead unit freed", "src/vtd/vtd_unit.c",
     "	if (!uiommu_vtd_broken(u)) {\n		uiommu_vtd_context_free(u);\n",
     "	if (u) {\n		uiommu_vtd_context_free(u);\n"),
    ("who did not ask is not blocked behind a dead unit",
     "src/core/power.c",
     "		if (group->domain != &uiommu->blocked &&\n",
     "		if (!group->members->hw.inherited &&\n"
     "		    group->domain != &uiommu->blocked &&\n"),
]

# What sleeps, and how it ends.
SLEEPS = [
    ("a broken unit left off", "src/vtd/vtd_power.c",
     "	all = !uiommu_vtd_unit_run(u, VTD_GCMD_SRTP, true) && all;\n",
     "	if (uiommu_vtd_unit_run(u, VTD_GCMD_SRTP, true))\n"
     "		return;\n"),
    ("registers of version 6", "src/vtd/vtd_iotlb.c",
     "	return UIOMMU_GET64(VTD_VER_MAJOR, u->version) "
     "<= VTD_VER_REGISTERS &&\n", "	return\n"),
    ("registers out of the window", "src/vtd/vtd_iotlb.c",
     "	       u->caps.iotlb_offset + VTD_IOTLB_SIZE "
     "<= u->mmio_size;\n", "	       u;\n"),
    ("translation on before the root pointer", "src/vtd/vtd_power.c",
     "		power_queue,\n		uiommu_vtd_unit_load,\n"
     "		power_faults,\n		uiommu_vtd_unit_enable,\n",
     "		power_queue,\n		uiommu_vtd_unit_enable,\n"
     "		uiommu_vtd_unit_load,\n		power_faults,\n"),
    ("caches not invalidated on resume", "src/vtd/vtd_power.c",
     "		if (u->started && !uiommu_vtd_broken(u))\n"
     "			err = step(u);\n",
     "		u->caps.root_flushes = true;\n"
     "		if (u->started && !uiommu_vtd_broken(u))\n"
     "			err = step(u);\n"),
    ("a root table before all queues", "src/vtd/vtd_power.c",
     "		power_queue,\n		uiommu_vtd_unit_load,\n",
     "		uiommu_vtd_unit_load,\n		power_queue,\n"),
    ("message of faults not restored", "src/vtd/vtd_power.c",
     "	uiommu_host_mmio_write32(u->mmio, VTD_FEDATA, u->saved.data);\n",
     ""),
    ("fault interrupts stay masked", "src/vtd/vtd_power.c",
     "				 fectl | (u->saved.control & "
     "VTD_FECTL_IM));\n",
     "				 fectl | VTD_FECTL_IM);\n"),
    ("faults let through that were not asked for", "src/vtd/vtd_power.c",
     "				 fectl | (u->saved.control & "
     "VTD_FECTL_IM));\n",
     "				 fectl);\n"),
    ("faults lost with the power", "src/vtd/vtd_power.c",
     "	(void)uiommu_vtd_fault_poll(u);\n	if (!u->ring)\n",
     "	if (!u->ring)\n"),
    ("firmware's faults keep ours away", "src/vtd/vtd_power.c",
     "	(void)uiommu_vtd_fault_poll(u);\n"
     "	if (uiommu_vtd_broken(u))\n",
     "	if (uiommu_vtd_broken(u))\n"),
    ("suspend does not wait for the queue", "src/vtd/vtd_power.c",
     "	err = power_finish(u);\n", "	err = UIOMMU_OK;\n"),
    ("firmware's queue goes on", "src/vtd/vtd_unit.c",
     "	int err = vtd_unit_end_queue(u);\n",
     "	int err = u ? UIOMMU_OK : vtd_unit_end_queue(u);\n"),
    ("protected memory stays closed", "src/vtd/vtd_power.c",
     "		if (!uiommu_vtd_broken(u))\n"
     "			err = uiommu_vtd_unit_open_memory(u);\n", ""),
    ("another unit taken for ours", "src/vtd/vtd_power.c",
     "	if (!power_there(u)) {\n"
     "		uiommu_vtd_unit_break(u, \"it did not come back\");\n",
     "	if (!u) {\n"
     "		uiommu_vtd_unit_break(u, \"it did not come back\");\n"),
    ("broken, and lets everything through", "src/vtd/vtd_power.c",
     "			power_confine(u);\n", "			(void)u;\n"),
    ("broken, and goes on with old tables", "src/vtd/vtd_power.c",
     "	memset(u->root, 0, UIOMMU_PAGE_SIZE);\n", ""),
    ("a lock taken in shutdown", "src/vtd/vtd_power.c",
     "	value &= VTD_GSTS_STICKY & ~command;\n",
     "	value &= VTD_GSTS_STICKY & ~command;\n"
     "	uiommu_host_lock_release(u->lock, "
     "uiommu_host_lock_acquire(u->lock));\n"),
    ("a command over that of a stopped CPU", "src/vtd/vtd_power.c",
     "	power_settle(u);\n", "	(void)power_settle;\n"),
    ("shutdown waits for a clock that stands", "src/vtd/vtd_power.c",
     "	limit->turns--;\n	return !limit->turns || uiommu",
     "	return uiommu"),
    ("memory given away with a queue on it", "src/vtd/vtd_power.c",
     "	power_drop_queue(u);\n", "	(void)power_drop_queue;\n"),
    ("a crash kernel finds translation off", "src/vtd/vtd_power.c",
     "	if (keep_translating)\n		return;\n", ""),
    ("graphics turned off by stop", "src/vtd/vtd_unit.c",
     "		if (uiommu_vtd_stays_on(u)) {\n", "		if (!u) {\n"),
    ("graphics turned off by suspend", "src/vtd/vtd_power.c",
     "	if (uiommu_vtd_stays_on(u))\n		power_say_on(u);\n",
     "	if (!u)\n		power_say_on(u);\n"),
    ("graphics turned off by shutdown", "src/vtd/vtd_power.c",
     "	if (!uiommu_vtd_stays_on(u))\n"
     "		power_set_off(u, VTD_GCMD_TE,",
     "	if (u)\n		power_set_off(u, VTD_GCMD_TE,"),
    ("refused while its unit goes on", "src/vtd/vtd.c",
     " && !v->unit->held && !dev->inherited &&\n",
     " && !dev->inherited &&\n"),
    ("turned on again by a CPU in a command", "src/vtd/vtd_power.c",
     "	if (power_is_on(u, mask))\n		power_off(u);\n", ""),
    ("a flush that is under way not waited for", "src/vtd/vtd_power.c",
     "	uint32_t gsts = power_poll(u, VTD_GSTS, VTD_GCMD_WBF, 0);\n",
     "	uint32_t gsts = uiommu_host_mmio_read32(u->mmio, VTD_GSTS);\n"),
    ("commands begin after a shutdown", "src/vtd/vtd_power.c",
     "	(void)uiommu_vtd_unit_mark(u);\n	if (uiommu_vtd_stays_on",
     "	if (uiommu_vtd_stays_on"),
    ("nobody told that graphics hangs", "src/core/start.c",
     "	uiommu_core_tell_stays_on(uiommu, first);\n", ""),
    ("stopped while asleep", "src/core/start.c",
     "	uiommu_core_wake(uiommu);\n", ""),
    ("a group behind a dead unit goes on", "src/core/power.c",
     "			power_block(uiommu, group);\n",
     "			(void)power_block;\n"),
    ("and comes back", "src/core/power.c",
     "		device->lost = true;\n", ""),
]


def library():
    names = (ROOT / "uiommu.sources").read_text().split()
    for folder in ("model", "host/user"):
        names += [f"{folder}/{p.name}"
                  for p in sorted((ROOT / folder).glob("*.c"))
                  if not p.name.startswith("demo")]
    return names


def sources():
    return sorted({name for family in FAMILIES
                   for program in family.programs
                   for name in family.parts(program)})


def users(name):
    """What must be compiled again when @name changed."""
    if name.endswith(".c"):
        return [name]
    header = re.escape("/".join(name.split("/")[1:]))
    found, todo = set(), {header}
    while todo:
        header = todo.pop()
        for path in (ROOT / "src").rglob("*.[ch]"):
            own = str(path.relative_to(ROOT))
            if own not in found and re.search(rf'#include "{header}"',
                                              path.read_text()):
                found.add(own)
                if own.endswith(".h"):
                    todo.add(re.escape("/".join(own.split("/")[1:])))
    return sorted(n for n in found if n.endswith(".c"))


def compile_one(name, out, first=()):
    subprocess.run([*CC, *[f"-I{f}" for f in first], *FLAGS, "-c", name,
                    "-o", out], cwd=first[0].parent if first else ROOT,
                   check=True)


def link(objects, folder, family):
    programs = []
    for main_file in family.programs:
        program = folder / main_file.replace("/", "_")[:-2]
        subprocess.run([*CC, *[objects[n] for n in family.parts(main_file)],
                        *LIBS, "-o", program],
                       check=True, capture_output=True, text=True)
        programs.append(program)
    return programs


def run_all(programs):
    """The first that fails, or the last"""
    for program in programs:
        status, why = run(program)
        if status:
            break
    return status, why


def run(program):
    """(exit status, the line that says why)"""
    try:
        done = subprocess.run([program], capture_output=True, text=True,
                              timeout=TIMEOUT, check=False,
                              env={**os.environ, "SEED": SEED})
    except subprocess.TimeoutExpired:
        return -1, "does not end"
    out = done.stdout + done.stderr
    why = re.search(r"ERROR\s*\]? ?:?(?: ---)?\s*(.*)|violation: (.*)", out)
    return done.returncode, next((w for w in why.groups() if w), "") \
        if why else out.strip().split("\n")[-1]


def copy_tree(target):
    for folder in ("src", "include"):
        for path in (ROOT / folder).rglob("*.[ch]"):
            to = target / path.relative_to(ROOT)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(path.read_bytes())


def plant(tmp, objects, number, families, defect):
    name, file, old, new = defect
    text = (ROOT / file).read_text()
    if text.count(old) != 1:
        return name, False, f"{file}: the text is there " \
                            f"{text.count(old)} times, not once"
    tree = tmp / f"defect{number}"
    copy_tree(tree)
    (tree / file).write_text(text.replace(old, new))
    mine = dict(objects)
    try:
        for source in users(file):
            mine[source] = tree / (source.replace("/", "_") + ".o")
            subprocess.run([*CC, *FLAGS, "-I" + str(ROOT / "model"), "-c",
                            source, "-o", mine[source]], cwd=tree, check=True,
                           capture_output=True, text=True)
        programs = [program for family in families
                    for program in link(mine, tree, family)
                    if not (family.without != "-" and
                            file.startswith(family.without))]
    except subprocess.CalledProcessError as error:
        return name, False, f"does not compile: {error.stderr}"
    status, why = run_all(programs)
    return name, status != 0, why if status else "NOT NOTICED"


def main(wanted):
    jobs = [((MODEL,), d) for d in DEFECTS]
    jobs += [((CORE, LIFE), d) for d in CHANGES]
    jobs += [((VTD,), d) for d in TAKEOVER]
    jobs += [((INHERIT,), d) for d in INHERITED]
    jobs += [((INHERIT, FIRST, RACE), d) for d in DEFERRED]
    jobs += [((UNITS,), d) for d in SEVERAL]
    jobs += [(POWER, d) for d in SLEEPS]
    jobs = [j for j in jobs if not wanted or j[1][0] in wanted]
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        tmp = pathlib.Path(folder)
        objects = {name: tmp / (name.replace("/", "_") + ".o")
                   for name in sources()}
        for job in [pool.submit(compile_one, name, out)
                    for name, out in objects.items()]:
            job.result()
        for family in FAMILIES:
            status, why = run_all(link(objects, tmp, family))
            if status:
                print(f"without a defect: fails: {why}")
                return 1
        print("without a defect: passes")
        failed = 0
        for name, noticed, why in pool.map(
                lambda job: plant(tmp, objects, job[0], *job[1]),
                enumerate(jobs)):
            print(f"{'ok' if noticed else 'NOT OK'}: {name}: {why}",
                  flush=True)
            failed += not noticed
    print(f"{len(jobs)} defects planted, {len(jobs) - failed} noticed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
