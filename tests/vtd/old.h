/* SPDX-License-Identifier: MIT */
/*
 * Another kernel, which had a unit before: it fills tables by formats that it
 * wrote down itself, turns translation on, and is gone. Its memory is not the
 * core's, and stays until the host goes.
 */
#ifndef TESTS_VTD_OLD_H
#define TESTS_VTD_OLD_H

#include "rig.h"

/* As the specification prints them; the driver's header is not used here. */
#define OLD_GCMD 0x18
#define OLD_GSTS 0x1c
#define OLD_RTADDR 0x20
#define OLD_IQH 0x80
#define OLD_IQT 0x88
#define OLD_IQA 0x90
#define OLD_TE 0x80000000u
#define OLD_SRTP 0x40000000u
#define OLD_WBF 0x08000000u
#define OLD_QIE 0x04000000u

struct old {
	struct rig *rig;
	struct vtdm *unit;
	const struct vtdm_config *model; /* of the unit */
	uint64_t *root;
	uint64_t root_paddr;
	unsigned int levels;
	uint64_t *queue;
	uint64_t queue_paddr;
	/* What its devices are doing; see old_watch(). */
	struct {
		int rid;
		uint64_t iova;
		struct rig_page page;
	} flows[12];
	unsigned int flow_count;
	uint64_t steps;
};

/* The host is made; rig_describe() was called before. It had unit 0. */
void old_begin(struct old *old, struct rig *rig);
/* The host is there: another unit that it had. */
void old_join(struct old *old, struct rig *rig, unsigned int unit);
struct rig_page old_page(struct old *old);
/* An address space with nothing in it: the address of its top table. */
uint64_t old_space(struct old *old);
void old_map(struct old *old, uint64_t space, uint64_t iova, uint64_t paddr);
/* The entry of @rid, whose table is made; write it by old_set(). */
uint64_t *old_entry(struct old *old, int rid);
void old_set(struct old *old, uint64_t *entry, uint64_t lo, uint64_t hi);
/* What puts a requester into @space, or lets it pass. */
void old_enter(struct old *old, int rid, uint64_t space, unsigned int did);
void old_pass(struct old *old, int rid, unsigned int did);
/* Root table, caches, queue if there is one, translation. */
void old_on(struct old *old);

/* @rid has @iova mapped to @page, and goes on using it. */
void old_flow(struct old *old, int rid, uint64_t iova, struct rig_page page);
/* Does one write of @rid at @iova change @page, and only then? */
bool old_lands(struct old *old, int rid, uint64_t iova, struct rig_page page);
/* Each flow does one write, which must arrive. */
void old_flows(struct old *old);
/* From now on at each register access, until @on is false. */
void old_watch(struct old *old, bool on);

#endif /* TESTS_VTD_OLD_H */
