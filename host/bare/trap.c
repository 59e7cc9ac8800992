// SPDX-License-Identifier: MIT
/* Exceptions end the run; the timer's interrupt feeds the watchdog. */
#include "bare.h"

#define IDT_GATE 0x8e /* present, ring 0, 64-bit interrupt gate */
#define CODE_SELECTOR 0x08
#define VECTORS 49
#define STUB_SIZE 16
#define VECTOR_TIMER 32
#define VECTOR_SPURIOUS 39
#define VECTOR_MESSAGE 48

#define PIC1 0x20
#define PIC2 0xa0

/* The CPU's own controller, where messages go. */
#define APIC UINT64_C(0xfee00000)
#define APIC_ID 0x20
#define APIC_EOI 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_SPURIOUS_ENABLE 0x100u
#define APIC_LINT0 0x350
#define APIC_LINT0_EXTERNAL 0x700u /* the old controller's interrupts */

#define DEBUG_EXIT_PORT 0xf4
/* QEMU's status is twice this plus one: 33 says passed and 35 failed. */
#define DEBUG_EXIT_OK 16
#define DEBUG_EXIT_FAILED 17

struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

struct idt_entry {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t stack;
	uint8_t type;
	uint16_t offset_mid;
	uint32_t offset_high;
	uint32_t reserved;
};

struct idt_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static struct idt_entry idt[VECTORS];
static void (*message_handler)(void *context);
static void *message_context;

extern const char trap_stubs[];
void trap_handle(struct trap_frame *f);

_Noreturn void kernel_exit(bool ok)
{
	io_out32(DEBUG_EXIT_PORT, ok ? DEBUG_EXIT_OK : DEBUG_EXIT_FAILED);
	for (;;) /* a machine without that device */
		__asm__ volatile("cli; hlt");
}

_Noreturn void kernel_panic(const char *fmt, ...)
{
	char line[160];
	va_list args;

	va_start(args, fmt);
	vprint_to(line, sizeof(line), fmt, args);
	va_end(args);
	print("\npanic: %s\n", line);
	check_abort();
	kernel_exit(false);
}

static void trap_dump(const struct trap_frame *f)
{
	uint64_t cr2;

	__asm__("mov %%cr2, %0" : "=r"(cr2));
	print("\nexception %lu error %lx at %lx, cr2 %lx\n", f->vector,
	      f->error, f->rip, cr2);
	print("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx,
	      f->rcx, f->rdx);
	print("rsi %016lx rdi %016lx rbp %016lx rsp %016lx\n", f->rsi, f->rdi,
	      f->rbp, f->rsp);
	print("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", f->r8, f->r9,
	      f->r10, f->r11);
	print("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", f->r12, f->r13,
	      f->r14, f->r15);
}

void trap_handle(struct trap_frame *f)
{
	if (f->vector < VECTOR_TIMER) {
		trap_dump(f);
		check_abort();
		kernel_exit(false);
	}
	if (f->vector == VECTOR_MESSAGE) {
		message_handler(message_context);
		mmio_write32(phys_to_virt(APIC), APIC_EOI, 0);
		return;
	}
	if (f->vector == VECTOR_TIMER)
		watchdog_tick();
	if (f->vector != VECTOR_SPURIOUS)
		io_out8(PIC1, 0x20);
}

/* Old interrupt controllers: vectors 32 to 47, only the timer let through. */
static void pic_init(void)
{
	io_out8(PIC1, 0x11);
	io_out8(PIC2, 0x11);
	io_out8(PIC1 + 1, VECTOR_TIMER);
	io_out8(PIC2 + 1, VECTOR_TIMER + 8);
	io_out8(PIC1 + 1, 4);
	io_out8(PIC2 + 1, 2);
	io_out8(PIC1 + 1, 1);
	io_out8(PIC2 + 1, 1);
	io_out8(PIC1 + 1, 0xfe);
	io_out8(PIC2 + 1, 0xff);
}

static void apic_init(void)
{
	void *apic = phys_to_virt(APIC);

	mmio_write32(apic, APIC_SPURIOUS,
		     APIC_SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	mmio_write32(apic, APIC_LINT0, APIC_LINT0_EXTERNAL);
}

void trap_message(void (*handler)(void *context), void *context,
		  uint64_t *address, uint32_t *data)
{
	uint32_t id;

	message_handler = handler;
	message_context = context;
	apic_init();
	id = mmio_read32(phys_to_virt(APIC), APIC_ID) >> 24;
	*address = APIC | id << 12;
	*data = VECTOR_MESSAGE;
}

void trap_init(void)
{
	struct idt_pointer ptr = { sizeof(idt) - 1, (uintptr_t)idt };

	for (unsigned int i = 0; i < VECTORS; i++) {
		uint64_t stub = (uintptr_t)trap_stubs + i * STUB_SIZE;

		idt[i] = (struct idt_entry){
			.offset_low = (uint16_t)stub,
			.selector = CODE_SELECTOR,
			.type = IDT_GATE,
			.offset_mid = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	}
	__asm__ volatile("lidt %0" : : "m"(ptr));
	pic_init();
	if (message_handler)
		apic_init();
}
