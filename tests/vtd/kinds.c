// SPDX-License-Identifier: MIT
#include "kinds.h"

static void set_plain(struct vtdm_config *m)
{
	(void)m;
}

static void set_cm(struct vtdm_config *m)
{
	m->cm = true;
}

static void set_rwbf(struct vtdm_config *m)
{
	m->rwbf = true;
}

static void set_noncoherent(struct vtdm_config *m)
{
	m->c = false;
}

static void set_registers(struct vtdm_config *m)
{
	m->qi = false;
	m->ir = m->eim = m->dt = false;
}

static void set_no_psi(struct vtdm_config *m)
{
	m->psi = false;
	m->mamv = 0;
}

static void set_small_mask(struct vtdm_config *m)
{
	m->mamv = 0;
}

void kind_3_levels(struct vtdm_config *m)
{
	m->sagaw = 2;
	m->mgaw = 39;
}

static void set_5_levels(struct vtdm_config *m)
{
	m->sagaw = 8;
	m->mgaw = 57;
}

static void set_small_pages(struct vtdm_config *m)
{
	m->sslps = 0;
}

static void set_odd_offsets(struct vtdm_config *m)
{
	m->fro = 0x2340;
	m->nfr = 200;
	m->iro = 0x1ff0;
	m->qi = false;
	m->ir = m->eim = m->dt = false;
}

void kind_few_ids(struct vtdm_config *m)
{
	m->nd = 0;
}

static void set_esrtps(struct vtdm_config *m)
{
	m->esrtps = true;
}

static void set_no_snoop(struct vtdm_config *m)
{
	m->sc = false;
}

static void set_draining(struct vtdm_config *m)
{
	m->dwd = m->drd = true;
}

/* An emulated unit of the worst kind, and an old chipset's. */
static void set_all_odd(struct vtdm_config *m)
{
	set_registers(m);
	set_no_psi(m);
	m->cm = m->rwbf = true;
	m->c = m->sc = m->pt = false;
	m->sslps = 0;
	m->nd = 0;
}

static void set_cm_noncoherent(struct vtdm_config *m)
{
	m->cm = true;
	m->c = false;
}

static void set_old(struct vtdm_config *m)
{
	m->c = false;
	m->rwbf = true;
	m->dwd = m->drd = true;
}

const struct kind kinds[KINDS] = {
	{ "plain", set_plain },
	{ "caching mode", set_cm },
	{ "write buffer", set_rwbf },
	{ "not coherent", set_noncoherent },
	{ "registers", set_registers },
	{ "no page-selective", set_no_psi },
	{ "mask 0", set_small_mask },
	{ "3 levels", kind_3_levels },
	{ "5 levels", set_5_levels },
	{ "4 KiB pages", set_small_pages },
	{ "odd offsets", set_odd_offsets },
	{ "16 ids", kind_few_ids },
	{ "enhanced root", set_esrtps },
	{ "no snoop control", set_no_snoop },
	{ "draining", set_draining },
	{ "all odd", set_all_odd },
	{ "caching mode, not coherent", set_cm_noncoherent },
	{ "old chipset", set_old },
};

void kind_up(struct rig *rig, const struct kind *kind)
{
	rig_describe(rig);
	kind->set(&rig->config.units[0].model);
	rig_up(rig);
}
