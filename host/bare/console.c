// SPDX-License-Identifier: MIT
/* The first serial line, polled. */
#include "bare.h"

#define COM1 0x3f8

enum {
	COM_DATA = 0,
	COM_IER = 1,
	COM_FCR = 2,
	COM_LCR = 3,
	COM_MCR = 4,
	COM_LSR = 5,
};

#define COM_LSR_THRE 0x20

void console_init(void)
{
	io_out8(COM1 + COM_IER, 0);
	io_out8(COM1 + COM_LCR, 0x80); /* divisor latch */
	io_out8(COM1 + COM_DATA, 1);   /* 115200 baud */
	io_out8(COM1 + COM_IER, 0);
	io_out8(COM1 + COM_LCR, 0x03); /* 8n1 */
	io_out8(COM1 + COM_FCR, 0x07);
	io_out8(COM1 + COM_MCR, 0x03);
}

static void com_put(char c)
{
	/* A dead line must not stop the kernel. */
	for (unsigned int i = 0; i < 100000; i++)
		if (io_in8(COM1 + COM_LSR) & COM_LSR_THRE)
			break;
	io_out8(COM1 + COM_DATA, (uint8_t)c);
}

void console_putc(char c)
{
	if (c == '\n')
		com_put('\r');
	com_put(c);
}
