// SPDX-License-Identifier: MIT
/* uiommu demo: the machine that is built in, at a glance. */
#include "cmd.h"

int cmd_demo(const struct ask *ask)
{
	return cmd_groups(ask);
}
