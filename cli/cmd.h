/* SPDX-License-Identifier: MIT */
/* The commands; main.c has the table. Each returns an exit status. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "ask.h"
#include "study.h"

int cmd_groups(const struct ask *ask);
int cmd_explain(const struct ask *ask);
int cmd_plan(const struct ask *ask);
int cmd_regions(const struct ask *ask);
int cmd_units(const struct ask *ask);
int cmd_capture(const struct ask *ask);
int cmd_dmar(const struct ask *ask);
int cmd_fault(const struct ask *ask);
int cmd_report(const struct ask *ask);
int cmd_demo(const struct ask *ask);

/*
 * A view of a machine: the document with @parts if JSON is asked for, else
 * what @print says between head and tail. @print's status is or'ed in.
 */
typedef int cmd_print(struct out *out, const struct study *study);
int cmd_view(const struct ask *ask, uint32_t parts, cmd_print *print);

/* What every view says above and below: machine, notes, findings, Linux. */
void cmd_head(struct out *out, const struct study *study);
/* Says whether Linux agrees, and returns the exit status of a view. */
int cmd_tail(struct out *out, const struct study *study);
/* The exit status alone, for JSON. */
int cmd_status(const struct study *study);

#endif /* CLI_CMD_H */
