/* SPDX-License-Identifier: MIT */
/*
 * Draws what the document in the page says. What comes from the machine is
 * hostile: it becomes text, never markup.
 */
"use strict";
(function () {

const data = JSON.parse(document.getElementById("data").textContent);
const devices = data.devices, groups = data.groups;
const SVG = "http:" + "/" + "/www.w3.org/2000/svg";
const BOX = { width: 250, height: 40, gap: 40, row: 68, left: 14, top: 14 };
const ROOT = { width: 104 };
const DASHES = ["", "7 3", "2 3"];

/* --- Small things --- */

function html(name, classes, ...inside) {
	const one = document.createElement(name);

	if (classes)
		one.className = classes;
	one.append(...inside.filter((x) => x !== null && x !== ""));
	return one;
}

function svg(name, attributes, ...inside) {
	const one = document.createElementNS(SVG, name);

	for (const key of Object.keys(attributes))
		one.setAttribute(key, attributes[key]);
	one.append(...inside);
	return one;
}

function text(x, y, classes, words) {
	return svg("text", { x, y, class: classes }, words);
}

const ruler = document.createElement("canvas").getContext("2d");

/* As much of the words as fits, and where they were cut. */
function fit(words, width, font) {
	ruler.font = font;
	if (ruler.measureText(words).width <= width)
		return words;
	let low = 0, high = words.length;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		const part = words.slice(0, middle).trimEnd() + "...";

		if (ruler.measureText(part).width <= width)
			low = middle;
		else
			high = middle - 1;
	}
	return words.slice(0, low).trimEnd() + "...";
}

/* Without what all names have. */
function brief(name) {
	return name.replace(/ (Corporation|Technologies|Limited)\b/g, "")
		.replace(/,? (Inc\.|Co\.,? Ltd\.?|Co Ltd)/g, "");
}

const domains = new Set(devices.filter((d) => d.vendor)
	.map((d) => d.device.split(":")[0]));

function short(name) {
	return domains.size === 1 && /^[0-9a-f]{4}:/.test(name)
		? name.slice(5) : name;
}

/* --- Who is where --- */

const byName = new Map();
devices.forEach((d, i) => {
	d.index = i;
	d.children = [];
	d.marks = [];
	d.facts = data.functions[i] || { kind: "ACPI device" };
	byName.set(d.device, d);
});

/* Colours are for groups that are shared; a label has every one. */
groups.forEach((g) => { g.style = null; });
groups.filter((g) => g.devices.length > 1).forEach((g, i) => {
	g.style = { colour: "var(--c" + i % 8 + ")",
		dash: DASHES[(i + Math.floor(i / 8)) % 3] };
});

function makeRoots() {
	const roots = new Map();

	for (const d of devices) {
		const above = d.parent && byName.get(d.parent);

		if (above && above !== d) {
			above.children.push(d);
			d.above = above;
			continue;
		}
		const key = d.vendor ? d.device.split(":").slice(0, 2).join(":")
			: "ACPI";
		if (!roots.has(key))
			roots.set(key, { root: key, children: [] });
		roots.get(key).children.push(d);
		d.above = roots.get(key);
	}
	/* A bus of virtual functions is none of its own. */
	return [...roots.values()];
}

function mark(d, kind, words, title) {
	if (d && !d.marks.some((m) => m.kind === kind && m.words === words))
		d.marks.push({ kind, words, title });
}

function makeMarks() {
	const missing = new Map(), order = ["SV", "RR", "CR", "UF"];

	for (const d of devices) {
		if (d.group === null && d.device)
			mark(d, "none", "no IOMMU", "nothing confines its DMA");
		for (const r of d.reasons) {
			const other = byName.get(r.other);

			if (r.missing && other) {
				if (!missing.has(other))
					missing.set(other, new Set());
				r.missing.forEach((b) =>
					missing.get(other).add(b));
			}
			if (r.rule === "GROUP_CLAIM" && other)
				mark(other, "claim", "vendor's word", r.text);
			if (r.rule === "GROUP_BRIDGE" && other === d)
				mark(d, "hide", "hides who asks", r.text);
			if (d.regions.some((x) => x.type === "direct"))
				mark(d, "kept", "firmware memory",
				     "firmware keeps memory for it");
		}
	}
	for (const [d, bits] of missing) {
		const words = order.filter((b) => bits.has(b)).join(" ");

		d.marks.unshift({ kind: "acs", words: "\u2715 " + words,
			title: "access control missing here: " + words });
	}
	for (const d of devices)
		if (d.reasons.some((r) => r.rule === "GROUP_MULTIFUNCTION") &&
		    !missing.has(d))
			d.marks.unshift({ kind: "acs", words: "\u2715 slot",
				title: "functions of one slot, not kept apart" });
}

/* --- The tree: a row for each leaf, a column for each bus on the way --- */

function place(roots) {
	let row = 0, deep = 0;
	const todo = [];

	for (const r of roots.slice().reverse())
		todo.push([r, 0]);
	const order = [];
	while (todo.length) {
		const [node, depth] = todo.pop();

		node.depth = depth;
		order.push(node);
		deep = Math.max(deep, depth);
		for (const c of node.children.slice().reverse())
			todo.push([c, depth + 1]);
	}
	for (const node of order) {
		/* The first child is beside its parent. */
		node.row = node.above && node.above.children[0] === node
			? node.above.row : row++;
		node.x = node.depth === 0 ? BOX.left : BOX.left + ROOT.width +
			BOX.gap + (node.depth - 1) * (BOX.width + BOX.gap);
		node.y = BOX.top + node.row * BOX.row;
		node.middle = node.y + BOX.height / 2;
		node.right = node.x + (node.root ? ROOT.width : BOX.width);
	}
	return { order, height: 2 * BOX.top + row * BOX.row,
		width: BOX.left * 2 + ROOT.width + deep *
			(BOX.width + BOX.gap) };
}

/* Where the wires below a node go down; a group's own lane is beside it. */
function trunk(node, lane) {
	return node.right + BOX.gap / 2 + lane * 12;
}

function drawWires(order) {
	const layer = svg("g", { "aria-hidden": "true" });

	for (const node of order) {
		if (!node.children.length)
			continue;
		const x = trunk(node, 0);
		const last = node.children[node.children.length - 1];
		let path = "M" + node.right + " " + node.middle + "H" + x +
			"V" + last.middle;

		for (const c of node.children)
			path += "M" + x + " " + c.middle + "H" + c.x;
		layer.append(svg("path", { d: path, class: "wire" }));
	}
	return layer;
}

/* Groups that use the same stretch of a trunk get lanes of their own. */
function lanes() {
	const taken = new Map();

	for (const g of groups) {
		g.spans = [];
		if (!g.style)
			continue;
		const members = new Set(g.devices.map((n) => byName.get(n)));
		const above = new Map();

		for (const d of members) {
			if (!above.has(d.above))
				above.set(d.above, []);
			above.get(d.above).push(d);
		}
		for (const [node, below] of above) {
			const inside = members.has(node);
			const ys = below.map((d) => d.middle);

			if (!inside && below.length < 2)
				continue;
			if (inside)
				ys.push(node.middle);
			const span = { node, below, inside, lane: 0,
				first: Math.min(...ys), last: Math.max(...ys) };
			const rivals = taken.get(node) || [];

			while (rivals.some((r) => r.lane === span.lane &&
			       r.first <= span.last && span.first <= r.last))
				span.lane = span.lane > 0 ? -span.lane
					: 1 - span.lane;
			rivals.push(span);
			taken.set(node, rivals);
			g.spans.push(span);
		}
	}
}

function bar(x1, y1, x2, y2, half) {
	return { x: Math.min(x1, x2) - half, y: Math.min(y1, y2) - half,
		width: Math.abs(x2 - x1) + 2 * half,
		height: Math.abs(y2 - y1) + 2 * half, rx: half };
}

function shapes(g) {
	const all = g.devices.map((n) => byName.get(n)).map((d) => ({
		x: d.x - 6, y: d.y - 6, width: BOX.width + 12,
		height: BOX.height + (d.marks.length ? 24 : 12), rx: 9 }));

	for (const s of g.spans) {
		const x = trunk(s.node, s.lane);

		all.push(bar(x, s.first, x, s.last, 5));
		if (s.inside)
			all.push(bar(s.node.right, s.node.middle, x,
				     s.node.middle, 5));
		for (const d of s.below)
			all.push(bar(x, d.middle, d.x, d.middle, 5));
	}
	return all;
}

/* Three layers: the edge of all shapes, then their inside, then a tint. */
function drawGroups() {
	const layer = svg("g", { "aria-hidden": "true" });

	for (const g of groups) {
		if (!g.style)
			continue;
		const all = shapes(g), edge = svg("g", {}), inside = svg("g", {});
		const tint = svg("g", { opacity: ".13" });

		for (const s of all) {
			edge.append(svg("rect", { ...s, style: "fill:none;" +
				"stroke-width:5;stroke:" + g.style.colour +
				";stroke-dasharray:" + (g.style.dash || "none") }));
			inside.append(svg("rect", { ...s,
				style: "fill:var(--card)" }));
			tint.append(svg("rect", { ...s,
				style: "fill:" + g.style.colour }));
		}
		layer.append(edge, inside, tint);
	}
	return layer;
}

function drawPills(d) {
	const layer = svg("g", {});
	let x = d.x + 8;

	ruler.font = "700 10px DejaVu Sans Mono, monospace";
	for (const m of d.marks) {
		const width = Math.ceil(ruler.measureText(m.words).width) + 10;
		const pill = svg("g", {}, svg("title", {}, m.title));

		pill.append(svg("rect", { x, y: d.y + BOX.height - 3, width,
			height: 15, rx: 7.5, class: "pill " + m.kind }),
			text(x + 5, d.y + BOX.height + 8,
			     "pill-text " + m.kind, m.words));
		layer.append(pill);
		x += width + 4;
	}
	return layer;
}

function groupOf(d) {
	return d.group === null ? null : groups[d.group];
}

function drawTag(d) {
	const g = groupOf(d), label = g ? g.label : "none";

	ruler.font = "700 11px sans-serif";
	const width = Math.max(22, Math.ceil(ruler.measureText(label).width) +
		12);
	const x = d.x + BOX.width - width - 6, y = d.y + 5;
	const alone = !g || !g.style;

	return [width, svg("rect", { x, y, width, height: 15, rx: 4,
		style: alone ? "fill:none;stroke:var(--edge)"
			: "fill:" + g.style.colour }),
		text(x + width / 2, y + 11.5, "number" +
		     (alone ? " alone" : ""), label)];
}

function link(d) {
	return "#device=" + encodeURIComponent(d.device).replace(/%3A/g, ":");
}

function drawDevice(d) {
	const port = Number.isInteger(d.bus);
	const [width, tag, number] = drawTag(d);
	const sid = short(d.device);
	const name = d.name ? brief(d.name) : d.facts.kind;
	const g = groupOf(d);
	const a = svg("a", { href: link(d), class: "device",
		"data-device": d.device, "aria-label": d.device + ", " + name +
		", " + (g ? "group " + g.label : "no group") +
		d.marks.map((m) => ", " + m.title).join("") });
	const title = d.device + "\n" + (d.class_name || "") + "\n" +
		(d.name || "") + "\n" + d.why;

	const room = BOX.width - width - 22;
	const cut = fit(sid, room, "700 12px DejaVu Sans Mono, monospace");
	const used = ruler.measureText(cut).width;

	a.append(svg("title", {}, title),
		 svg("rect", { x: d.x, y: d.y, width: BOX.width,
			height: BOX.height, rx: 5, class: "box" +
			(port ? " port" : "") + (g ? "" : " none") }),
		 text(d.x + 8, d.y + 16, "sid", cut));
	if (room - used > 30)
		a.append(text(d.x + 14 + used, d.y + 16, "kind",
			      fit(d.facts.kind, room - used - 6,
				  "11px DejaVu Sans, sans-serif")));
	a.append(text(d.x + 8, d.y + 31, "model",
		      fit(name, BOX.width - 16,
			  "11.5px DejaVu Sans, sans-serif")),
		 tag, number, drawPills(d));
	return a;
}

function drawRoot(node) {
	const words = node.root === "ACPI" ? "ACPI only"
		: "bus " + node.root;

	return svg("g", {}, svg("rect", { x: node.x, y: node.y + 7,
		width: ROOT.width, height: BOX.height - 14, rx: 13,
		class: "root" }), text(node.x + 12, node.middle + 4.5,
		"root-text", words));
}

function drawTree() {
	const roots = makeRoots();

	makeMarks();
	const where = place(roots);
	lanes();
	const all = svg("g", { id: "tree" });

	all.append(drawGroups(), drawWires(where.order));
	for (const node of where.order)
		all.append(node.root ? drawRoot(node) : drawDevice(node));
	return [svg("svg", { width: where.width, height: where.height,
		viewBox: "0 0 " + where.width + " " + where.height,
		role: "group", "aria-label": "The PCI tree" }, all),
		...pieces(where)];
}

/* Paper has pages: the same picture, cut between rows. */
function pieces(where) {
	const list = [], step = 4 * BOX.row;

	for (let y = BOX.top - 8; y < where.height - BOX.top; y += step) {
		const height = Math.min(step, where.height - y);

		list.push(svg("svg", { class: "piece", "aria-hidden": "true",
			viewBox: "0 " + y + " " + where.width + " " + height },
			svg("use", { href: "#tree" })));
	}
	return list;
}

function pillKey(kind, words) {
	ruler.font = "700 10px DejaVu Sans Mono, monospace";
	const width = Math.ceil(ruler.measureText(words).width) + 10;

	return svg("svg", { width: width + 2, height: 17 },
		svg("rect", { x: 1, y: 1, width, height: 15, rx: 7.5,
			class: "pill " + kind }),
		text(6, 12, "pill-text " + kind, words));
}

function legend() {
	const list = html("ul", "legend");
	const used = new Set(devices.flatMap((d) => d.marks
		.map((m) => m.kind)));
	const add = (key, words) => list.append(html("li", "", key, words));
	const outline = svg("svg", { width: 30, height: 17 });

	outline.append(svg("rect", { x: 2, y: 2, width: 26, height: 13, rx: 5,
		style: "fill:none;stroke-width:2.5;stroke:var(--c0)" }));
	if (groups.some((g) => g.style))
		add(outline, "one group, with its label; all others are alone");
	if (used.has("acs"))
		add(pillKey("acs", "\u2715 SV RR CR UF"), "access control " +
		    "missing here: source validation, request redirect, " +
		    "completion redirect, upstream forwarding");
	if (devices.some((d) => d.marks.some((m) => m.words === "\u2715 slot")))
		add(pillKey("acs", "\u2715 slot"),
		    "functions of one slot that nothing keeps apart");
	if (used.has("claim"))
		add(pillKey("claim", "vendor's word"),
		    "isolates without saying so in its registers");
	if (used.has("hide"))
		add(pillKey("hide", "hides who asks"),
		    "all below bear one requester id");
	if (used.has("kept"))
		add(pillKey("kept", "firmware memory"),
		    "must stay reachable: not for a user");
	if (used.has("none"))
		add(pillKey("none", "no IOMMU"), "nothing confines its DMA");
	return list;
}

/* --- The address space --- */

function words(first, last) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let size = last - first + 1n, unit = 0;

	while (size >= 1024n && unit < 6 && (size % 1024n === 0n ||
	       size >= 10240n)) {
		size /= 1024n;
		unit++;
	}
	return size + " " + units[unit];
}

function hex(value) {
	return "0x" + value.toString(16).padStart(8, "0");
}

function collect() {
	const all = new Map();

	groups.forEach((g) => g.regions.forEach((r) => {
		const key = r.first + r.last + r.type;

		if (!all.has(key))
			all.set(key, { first: BigInt(r.first),
				last: BigInt(r.last), type: r.type,
				dmar: r.dmar, groups: [] });
		all.get(key).groups.push(g);
	}));
	return [...all.values()];
}

function sayRegion(r) {
	const what = { "direct": "must stay mapped for firmware",
		"direct-relaxable": "mapped for firmware, may be dropped for " +
			"a user",
		"reserved": "never handed out",
		"msi": "interrupts, never memory" }[r.type] || "";
	const who = r.groups.length === groups.length ? "all groups"
		: r.groups.length > 8 ? r.groups.length + " groups"
		: (r.groups.length > 1 ? "groups " : "group ") +
		r.groups.map((g) => g.label + " (" + short(g.devices[0]) +
			(g.devices.length > 1 ? " ..." : "") + ")").join(", ");

	return [html("b", "", r.type), ": " + what + "; " + who + (r.dmar
		? "; DMAR record " + r.dmar.record + ", offset 0x" +
		r.dmar.offset.toString(16) : "")];
}

/* Stretches in which nothing changes, neighbours that are alike joined. */
function stretches(regions, memory) {
	const cuts = new Set([0n]);
	const list = [];

	for (const r of regions.concat(memory)) {
		cuts.add(r.first);
		cuts.add(r.last + 1n);
	}
	const points = [...cuts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
	for (let i = 0; i + 1 < points.length; i++) {
		const covers = (r) => r.first <= points[i] &&
			r.last >= points[i];
		const one = { first: points[i], last: points[i + 1] - 1n,
			regions: regions.filter(covers),
			memory: memory.filter(covers).map((m) => m.kind) };
		const key = one.memory.join() + "|" + one.regions
			.map((r) => regions.indexOf(r)).join();
		const before = list[list.length - 1];

		one.key = key;
		if (before && before.key === key)
			before.last = one.last;
		else
			list.push(one);
	}
	return list;
}

/* A bar in steps: ten times the size is a little more height. */
function tall(s) {
	const bits = (s.last - s.first + 1n).toString(2).length;

	return Math.round(20 + Math.max(0, bits - 12) * 1.6) + "px";
}

function laneOf(s, known) {
	const kind = s.memory[0];

	if (!known || !kind)
		return "lane empty";
	return kind === "System RAM" ? "lane ram" : "lane firmware";
}

function drawSpace(known, list) {
	const box = html("div", "space");

	for (const h of ["from", "memory", "kept", ""])
		box.append(html("div", "head", h));
	for (const s of list) {
		const kept = html("div", "lane empty");
		const what = html("div", "what");

		if (s.regions.length) {
			kept.className = "lane";
			kept.style.display = "flex";
			for (const r of s.regions) {
				const part = html("div", "r-" + r.type);

				part.style.flex = "1";
				kept.append(part);
			}
		}
		what.append(html("span", "size", words(s.first, s.last)),
			    html("span", "soft", s.memory.join(", ") ||
				 (known ? "no memory" : "")));
		for (const r of s.regions)
			what.append(html("div", "", ...sayRegion(r)));
		what.style.minHeight = tall(s);
		box.append(html("div", "at", hex(s.first)),
			   html("div", laneOf(s, known)), kept, what);
	}
	return box;
}

function drawRegions() {
	const regions = collect();
	const memory = data.memory.map((m) => ({ first: BigInt(m.first),
		last: BigInt(m.last), kind: m.kind }));
	const list = stretches(regions, memory).slice(0, 600);
	const key = html("ul", "legend");
	const add = (classes, says) => key.append(html("li", "",
		html("span", "key " + classes), says));

	if (memory.length) {
		add("ram", "RAM");
		add("firmware", "other memory");
	}
	for (const type of ["direct", "direct-relaxable", "reserved", "msi"])
		if (regions.some((r) => r.type === type))
			add("r-" + type, type);
	return html("section", "", html("h2", "", "The address space"),
		html("p", "soft", "What devices may not be given addresses " +
		     "in, beside " + (memory.length ? "the host's memory. "
			: "memory, of which nothing is known here. ") +
		     "Heights grow with the logarithm of the size."), key,
		drawSpace(memory.length > 0, list));
}

/* --- What a click opens --- */

const drawer = document.querySelector("aside");
let cameFrom = null;

function pairs(rows) {
	const list = html("dl", "pairs");

	for (const [name, value] of rows)
		if (value !== null && value !== undefined && value !== "" &&
		    value.length !== 0)
			list.append(html("dt", "", name), html("dd", "",
				...[].concat(value)));
	return list;
}

function toDevice(name) {
	const d = byName.get(name);

	if (!d)
		return name;
	const a = html("a", "address", name);

	a.href = link(d);
	return a;
}

function joined(nodes) {
	return nodes.flatMap((n, i) => (i ? [", ", n] : [n]));
}

function tag(g) {
	const one = html("span", "tag", g.label);

	if (g.style)
		one.style.border = "2px " + (g.style.dash ? "dashed" : "solid") +
			" " + g.style.colour;
	return one;
}

function aboutGroup(g) {
	const yes = g.devices.length > 1
		? "yes, all " + g.devices.length + " devices together"
		: "yes";
	const others = g.devices.map(toDevice);
	const box = html("div", "", html("h3", "", "Its group"), pairs([
		["group", [tag(g)]], ["domain", g.type + (g.type_required
			? " (required)" : "")],
		["for a user", [g.assignable ? html("span", "good", yes)
			: html("span", "bad", "no: firmware keeps memory")]],
		["devices", joined(others)]]));
	const list = html("ul", "");

	for (const a of data.advice[g.id])
		list.append(html("li", "", a.text));
	box.append(html("h3", "", "What would change it"), list);
	return box;
}

function aboutReasons(d) {
	const list = html("dl", "");

	for (const r of d.reasons)
		list.append(html("dt", "", r.rule), html("dd", "", r.text));
	return html("div", "reasons", html("h3", "", "Why"), list);
}

function fill(d) {
	const close = html("button", "", "\u2715");
	const g = groupOf(d);

	close.type = "button";
	close.setAttribute("aria-label", "close");
	close.addEventListener("click", () => { location.hash = ""; });
	drawer.replaceChildren(close, html("h2", "address", d.device),
		d.name ? html("p", "", d.name) : "", pairs([
			["class", d.class_name], ["kind", d.facts.kind],
			["model", d.vendor ? d.vendor + ":" + d.device_id : ""],
			["driver", d.driver], ["unit", d.unit || "none"],
			["requires", d.requires],
			["access control", d.facts.acs_can
				? d.facts.acs_on + " on, of " + d.facts.acs_can
				: d.vendor ? "no capability" : ""],
			["asks as", d.aliases.join(", ")],
			["Linux's group", d.linux_group === null ||
				d.linux_group === undefined ? ""
				: String(d.linux_group)],
			["regions", d.regions.map((r) => html("div", "",
				html("code", "", r.first + "-" + r.last), " " +
				r.type))]]),
		aboutReasons(d), g ? aboutGroup(g) : html("p", "bad",
			"In no group: nothing confines its DMA."));
	drawer.setAttribute("aria-label", d.device);
	return close;
}

function open() {
	let name = "";

	try {
		name = decodeURIComponent(location.hash.slice(1));
	} catch (e) {
		name = "";
	}
	const d = byName.get(name.replace(/^device=/, ""));

	document.querySelectorAll("a.open").forEach((a) =>
		a.classList.remove("open"));
	if (!name.startsWith("device=") || !d) {
		drawer.hidden = true;
		document.documentElement.classList.remove("opened");
		if (cameFrom)
			cameFrom.focus();
		cameFrom = null;
		return;
	}
	if (drawer.hidden)
		cameFrom = document.activeElement;
	const close = fill(d);

	drawer.hidden = false;
	drawer.scrollTop = 0;
	document.documentElement.classList.add("opened");
	d.node.classList.add("open");
	d.node.scrollIntoView({ block: "nearest", inline: "nearest" });
	close.focus({ preventScroll: true });
}

function main() {
	const scroll = html("div", "scroll tree");
	const tree = html("section", "", html("h2", "", "The PCI tree"),
		html("p", "soft screen", "Every box opens: its reasons, its " +
		     "regions, and what would change its group."));
	const before = document.getElementById("groups");

	document.documentElement.classList.add("js");
	scroll.append(...drawTree());
	tree.append(legend(), scroll);
	before.before(tree, drawRegions());
	for (const a of scroll.querySelectorAll("a.device"))
		byName.get(a.dataset.device).node = a;
	for (const body of document.querySelectorAll("tbody[data-group]")) {
		const old = body.querySelector(".tag");

		old.replaceWith(tag(groups[Number(body.dataset.group)]));
	}
	window.addEventListener("hashchange", open);
	window.addEventListener("keydown", (e) => {
		if (e.key === "Escape" && !drawer.hidden)
			location.hash = "";
	});
	open();
}

main();
})();
