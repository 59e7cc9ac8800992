/* SPDX-License-Identifier: MIT */
/*
 * Options: what an administrator asks for, in the words people know from the
 * command line of a Linux kernel, and as a struct for hosts with their own.
 */
#ifndef UIOMMU_OPTIONS_H
#define UIOMMU_OPTIONS_H

#include <uiommu/error.h>
#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum uiommu_choice {
	UIOMMU_CHOICE_DEFAULT = 0, /* what the library was built with */
	UIOMMU_CHOICE_NO,
	UIOMMU_CHOICE_YES,
};

/*
 * Zero everywhere: nobody asked for anything. The plan obeys all of it but
 * superpages, which is for a live instance, and scalable, which is for nobody.
 * A live instance invalidates strictly whatever is chosen.
 */
struct uiommu_options {
	enum uiommu_choice passthrough; /* identity default domains */
	enum uiommu_choice strict;	/* invalidate before unmap returns */
	enum uiommu_choice remapping;	/* translate at all; NO also refuses
					 * the platform's opt-in */
	enum uiommu_choice superpages;	/* leaves above 4 KiB */
	enum uiommu_choice scalable;	/* scalable mode; noted, not used */
	enum uiommu_choice isa_range;	/* 0-16 MiB of an ISA bridge */
	bool off;	    /* no remapping, whatever else is asked */
	bool igfx_off;	    /* leave units that serve graphics alone */
	bool tboot_noforce; /* a measured launch does not force remapping */
};

enum uiommu_options_problem {
	UIOMMU_OPTIONS_UNKNOWN,	 /* no such word in that list */
	UIOMMU_OPTIONS_BAD_BOOL, /* neither yes nor no */
	UIOMMU_OPTIONS_NO_VALUE, /* the option needs one */
	UIOMMU_OPTIONS_UNUSED,	 /* understood, and without effect here */
};

struct uiommu_options_finding {
	enum uiommu_options_problem problem;
	size_t offset; /* of the word, in bytes from the beginning */
	size_t length; /* bytes of it */
};

/**
 * uiommu_options_parse() - read options from text
 * @text: a whole kernel command line, or a part of one; no NUL needed
 * @size: bytes at @text; reading stops at a NUL
 * @options: what the text asks for is set here, the rest is left alone: clear
 *	it first, or add to what an earlier text said
 * @findings: where to store what was odd, in order; may be NULL if @room is 0
 * @room: findings that fit
 *
 * Understands iommu.passthrough=, iommu.strict= (a bool as Linux reads one),
 * iommu= (pt nopt off, and words of other hardware, which are UNUSED) and
 * intel_iommu= (on off igfx_off strict sp_off sm_on sm_off tboot_noforce, and
 * forcedac, intgpu_off, which are UNUSED), words separated by commas. Other
 * options are skipped; those that begin with iommu or intel_iommu are UNKNOWN.
 * '-' in a name counts as '_'; double quotes protect blanks; "--" ends it.
 *
 * The last word wins, with one exception that Linux makes too: strict in
 * intel_iommu= is not undone by iommu.strict=0.
 *
 * Context: any. Never reads outside @text.
 *
 * Return: how many findings there are, also those that did not fit.
 */
uint32_t uiommu_options_parse(const char *text, size_t size,
			      struct uiommu_options *options,
			      struct uiommu_options_finding *findings,
			      uint32_t room);

/** uiommu_options_problem_text() - "unknown word"...; never NULL [any] */
const char *uiommu_options_problem_text(enum uiommu_options_problem problem);

#ifdef __cplusplus
}
#endif

#endif /* UIOMMU_OPTIONS_H */
