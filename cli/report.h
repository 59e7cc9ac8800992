/* SPDX-License-Identifier: MIT */
/* The page of uiommu report: its files, and what C says in it. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdio.h>

#include "study.h"

/* The files of cli/report/, built in. */
extern const char report_page_html[];
extern const char report_page_css[];
extern const char report_page_js[];

/* All that can be read without a script: lists and tables. */
void report_body(FILE *to, const struct study *study);
/* Text from elsewhere, so that it is text in a page, attributes included. */
void report_text(FILE *to, const char *text);

#endif /* CLI_REPORT_H */
