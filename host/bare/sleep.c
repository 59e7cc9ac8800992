// SPDX-License-Identifier: MIT
/*
 * ACPI's S3 without an interpreter of AML: the fixed registers from the FADT,
 * the sleep type from the one package in the DSDT that says it, the waking
 * vector in the FACS, and the clock's alarm to be woken by.
 *
 * QEMU loads what -kernel names anew whenever the machine is reset, and waking
 * up is one: data and stack of this kernel are then as at its start. So all of
 * the image is copied aside before and put back by the code in wake.S. On a
 * real machine nobody does that, and nothing is lost by it.
 */
#include "sleep.h"
#include "wake.h"

/* FADT, with the offsets of ACPI 2.0 and later */
#define FADT_FACS 36
#define FADT_DSDT 40
#define FADT_SMI_COMMAND 48
#define FADT_ACPI_ENABLE 52
#define FADT_PM1A_EVENTS 56
#define FADT_PM1A_CONTROL 64
#define FADT_PM1B_CONTROL 68
#define FADT_PM1_EVENT_SIZE 88
#define FADT_SIZE 116

#define TABLE_LENGTH 4
#define TABLE_HEADER 36
#define TABLE_MAX (UINT32_C(1) << 20)
#define FACS_VECTOR 12
#define FACS_VECTOR_64 24
#define FACS_SIZE 32

#define PM1_CLOCK_ENABLE 0x0400u
#define PM1_SCI_ENABLE 0x0001u
#define PM1_TYPE(t) ((uint16_t)((t) << 10))
#define PM1_TYPE_MASK 0x1c00u
#define PM1_SLEEP 0x2000u

#define AML_NAME 0x08
#define AML_PACKAGE 0x12
#define AML_ZERO 0x00
#define AML_ONE 0x01
#define AML_BYTE 0x0a

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CLOCK_SECONDS_ALARM 0x01
#define CLOCK_MINUTES_ALARM 0x03
#define CLOCK_HOURS_ALARM 0x05
#define CLOCK_B 0x0b
#define CLOCK_B_ALARM 0x20u
#define CLOCK_C 0x0c
#define CLOCK_ANY 0xc0u /* an alarm at any hour, minute, or second */

#define AWAKE_CYCLES (UINT64_C(1) << 34) /* seconds on any machine */

extern const char kernel_start[];
extern const char kernel_end[];
extern const char wake_begin[];
extern const char wake_end[];
bool wake_enter(void (*sleep)(void *context), void *context);

/* --- Firmware's tables ----------------------------------------------------- */

static uint32_t read32(const char *table, size_t at)
{
	uint32_t value;

	memcpy(&value, table + at, 4);
	return value;
}

/* One element of a package: a small number, or not. */
static const uint8_t *aml_number(const uint8_t *p, uint8_t *value)
{
	if (p[0] == AML_ZERO || p[0] == AML_ONE) {
		*value = p[0];
		return p + 1;
	}
	if (p[0] != AML_BYTE)
		return NULL;
	*value = p[1];
	return p + 2;
}

/* Name (_S3_, Package (n) { type for PM1a, type for PM1b, ... }) */
static bool sleep_package(const uint8_t *p, uint8_t type[2])
{
	if (p[0] != AML_NAME)
		return false;
	p++;
	p += *p == '\\'; /* a name from the root */
	if (!str_equal((const char *)p, "_S3_", 4) || p[4] != AML_PACKAGE)
		return false;
	/* Upper bits of the first byte: how many more the length has. */
	p += 5;
	p += 1 + (*p >> 6);
	if (*p++ < 2)
		return false;
	p = aml_number(p, &type[0]);
	return p && aml_number(p, &type[1]);
}

static bool find_type(const char *dsdt, uint8_t type[2])
{
	const uint8_t *p = (const uint8_t *)dsdt;
	uint32_t size = read32(dsdt, TABLE_LENGTH);

	if (!str_equal(dsdt, "DSDT", 4) || size > TABLE_MAX)
		return false;
	/* 20 bytes are the longest that the package has that we read. */
	for (uint32_t at = TABLE_HEADER; at + 20 <= size; at++)
		if (sleep_package(p + at, type))
			return type[0] < 8 && type[1] < 8;
	return false;
}

const char *sleep_find(struct sleep *s)
{
	size_t size = 0;
	const char *fadt = acpi_find("FACP", &size);

	if (!fadt || size < FADT_SIZE)
		return "no FADT";
	if (!read32(fadt, FADT_FACS) || !read32(fadt, FADT_DSDT))
		return "no FACS, or no DSDT";
	s->facs = phys_to_virt(read32(fadt, FADT_FACS));
	if (!str_equal(s->facs, "FACS", 4) ||
	    read32(s->facs, TABLE_LENGTH) < FACS_SIZE)
		return "no FACS";
	s->events = (uint16_t)read32(fadt, FADT_PM1A_EVENTS);
	s->enables = (uint16_t)(s->events +
				(uint8_t)fadt[FADT_PM1_EVENT_SIZE] / 2);
	s->control[0] = (uint16_t)read32(fadt, FADT_PM1A_CONTROL);
	s->control[1] = (uint16_t)read32(fadt, FADT_PM1B_CONTROL);
	s->smi_command = (uint16_t)read32(fadt, FADT_SMI_COMMAND);
	s->acpi_enable = (uint8_t)fadt[FADT_ACPI_ENABLE];
	if (!s->events || !s->control[0])
		return "no PM1a registers";
	if (!find_type(phys_to_virt(read32(fadt, FADT_DSDT)), s->type))
		return "no \\_S3 in the DSDT";
	return NULL;
}

/* --- The clock ------------------------------------------------------------- */

static uint8_t cmos_read(uint8_t at)
{
	io_out8(CMOS_INDEX, at);
	return io_in8(CMOS_DATA);
}

static void cmos_write(uint8_t at, uint8_t value)
{
	io_out8(CMOS_INDEX, at);
	io_out8(CMOS_DATA, value);
}

/*
 * Whenever a second begins: an alarm at a certain one is missed if it is over
 * before the machine sleeps.
 */
static void set_alarm(void)
{
	cmos_write(CLOCK_SECONDS_ALARM, CLOCK_ANY);
	cmos_write(CLOCK_MINUTES_ALARM, CLOCK_ANY);
	cmos_write(CLOCK_HOURS_ALARM, CLOCK_ANY);
	(void)cmos_read(CLOCK_C); /* what happened before is not to wake */
	cmos_write(CLOCK_B, cmos_read(CLOCK_B) | CLOCK_B_ALARM);
}

/* --- To sleep and back ----------------------------------------------------- */

/* In ACPI's mode the events are ours, and firmware does not see them. */
static bool take_events(const struct sleep *s)
{
	uint64_t begin = time_cycles();

	if (io_in16(s->control[0]) & PM1_SCI_ENABLE)
		return true;
	if (!s->smi_command || !s->acpi_enable)
		return false;
	io_out8(s->smi_command, s->acpi_enable);
	while (!(io_in16(s->control[0]) & PM1_SCI_ENABLE))
		if (time_cycles() - begin > AWAKE_CYCLES)
			return false;
	return true;
}

static void set_vector(const struct sleep *s)
{
	uint32_t vector = WAKE_AT;

	memset(s->facs + FACS_VECTOR_64, 0, 8);
	memcpy(s->facs + FACS_VECTOR, &vector, 4);
}

static void set_page(const struct sleep *s)
{
	char *page = phys_to_virt(WAKE_AT);
	uint32_t what[3] = { (uint32_t)virt_to_phys(s->image),
			     (uint32_t)virt_to_phys(kernel_start),
			     (uint32_t)s->image_size };

	memcpy(page, wake_begin, (size_t)(wake_end - wake_begin));
	memcpy(page + WAKE_FROM, what, sizeof(what));
}

static void set_type(const struct sleep *s, unsigned int which, uint16_t sleep)
{
	uint16_t control;

	if (!s->control[which])
		return;
	control = (uint16_t)(io_in16(s->control[which]) & ~PM1_TYPE_MASK);
	control = (uint16_t)(control | PM1_TYPE(s->type[which]) | sleep);
	io_out16(s->control[which], control);
}

/* The copy is of this very moment: what is on the stack above stays. */
static void fall_asleep(void *context)
{
	const struct sleep *s = context;
	uint64_t begin;

	memcpy(s->image, kernel_start, s->image_size);
	__asm__ volatile("wbinvd" : : : "memory");
	for (unsigned int i = 0; i < ARRAY_SIZE(s->control); i++)
		set_type(s, i, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(s->control); i++)
		set_type(s, i, PM1_SLEEP);
	begin = time_cycles();
	while (time_cycles() - begin < AWAKE_CYCLES)
		__asm__ volatile("pause");
}

/* What all else needs; interrupts stay off. */
static void wake_kernel(void)
{
	pci_restore_chipset();
	console_init();
	trap_init();
	time_tick();
}

bool sleep_enter(struct sleep *s)
{
	unsigned int order;
	bool slept;

	s->image_size = (size_t)(kernel_end - kernel_start);
	order = mem_order(s->image_size);
	s->image = mem_alloc(order);
	if (!s->image)
		return false;
	slept = take_events(s);
	if (slept) {
		set_page(s);
		set_vector(s);
		set_alarm();
		io_out16(s->events, io_in16(s->events)); /* clears */
		io_out16(s->enables, PM1_CLOCK_ENABLE);
		slept = wake_enter(fall_asleep, s);
		wake_kernel();
		s->woken_by = io_in16(s->events);
		io_out16(s->enables, 0);
		io_out16(s->events, s->woken_by);
		cmos_write(CLOCK_B, cmos_read(CLOCK_B) & ~CLOCK_B_ALARM);
	}
	mem_free(s->image, order);
	return slept;
}
