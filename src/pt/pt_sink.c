// SPDX-License-Identifier: MIT
/* Written once, before any unit walks it; nothing in it ever changes. */
#include "pt/pt_sink.h"

#include "pt/pt_table.h"
#include "pt/pt_vtd_ss.h"

UIOMMU_STATIC_ASSERT(UIOMMU_PT_SINK_LEVELS == PT_LEVELS_MAX);

/* A zeroed page that an entry can point to; page @at of the sink. */
static void *sink_page(struct uiommu_pt_sink *sink, unsigned int at,
		       uiommu_paddr_t *paddr)
{
	void *page = uiommu_host_page_alloc(sink->host, PT_TABLE_SIZE, 0,
					    paddr);

	sink->pages[at] = page;
	return page && *paddr <= sink->config.paddr_last ? page : NULL;
}

static void sink_clean(const struct uiommu_pt_sink *sink, const void *page)
{
	if (!sink->config.coherent)
		uiommu_host_cache_clean(sink->host, page, PT_TABLE_SIZE);
}

int uiommu_pt_sink_init(struct uiommu_pt_sink *sink, struct uiommu_host *host,
			const struct uiommu_pt_config *config)
{
	struct uiommu_pt_sink new;
	uiommu_word_t *table = NULL;
	uiommu_paddr_t paddr;
	unsigned int level, i;
	uint64_t entry;

	if (!uiommu_pt_config_valid(config))
		return UIOMMU_EINVAL;
	memset(&new, 0, sizeof(new));
	new.host = host;
	new.config = *config;
	new.config.page_sizes = UIOMMU_BIT64(12);
	if (!sink_page(&new, 0, &paddr))
		goto err_free;
	/* A device that does not snoop is not to read what was there before. */
	sink_clean(&new, new.pages[0]);
	new.page_paddr = paddr;
	entry = pt_fmt_leaf(UIOMMU_PROT_READ | UIOMMU_PROT_WRITE, 0) |
		config->leaf_bits | pt_fmt_address(paddr);
	for (level = 0; level < config->levels; level++) {
		table = sink_page(&new, level + 1, &paddr);
		if (!table)
			goto err_free;
		for (i = 0; i < PT_ENTRIES; i++)
			uiommu_word_store(&table[i], entry);
		sink_clean(&new, table);
		entry = pt_fmt_table(paddr);
	}
	new.root = table;
	new.root_paddr = paddr;
	*sink = new;
	return UIOMMU_OK;

err_free:
	uiommu_pt_sink_fini(&new);
	return UIOMMU_ENOMEM;
}

void uiommu_pt_sink_fini(struct uiommu_pt_sink *sink)
{
	unsigned int i;

	for (i = 0; i <= UIOMMU_PT_SINK_LEVELS; i++)
		if (sink->pages[i])
			uiommu_host_page_free(sink->host, sink->pages[i],
					      PT_TABLE_SIZE);
	memset(sink, 0, sizeof(*sink));
}

void uiommu_pt_sink_tables(const struct uiommu_pt_sink *sink,
			   struct uiommu_pt *pt)
{
	memset(pt, 0, sizeof(*pt));
	pt->host = sink->host;
	pt->config = sink->config;
	pt->root = sink->root;
	pt->root_paddr = sink->root_paddr;
	pt->table_pages = sink->config.levels;
}
