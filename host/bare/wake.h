/* SPDX-License-Identifier: MIT */
/* Where the code that the machine wakes up in lies; for C and assembler. */
#ifndef BARE_WAKE_H
#define BARE_WAKE_H

/* A page of low memory, which this kernel leaves to firmware otherwise. */
#define WAKE_AT 0x8000
#define WAKE_PAGE 4096

/* Within the page, behind the code: what it is to do, 32 bits each. */
#define WAKE_FROM 0xff0	 /* copy from here */
#define WAKE_TO 0xff4	 /* to there */
#define WAKE_SIZE 0xff8	 /* so many bytes */
#define WAKE_STACK 0xffc /* and go on with this stack */

#endif /* BARE_WAKE_H */
