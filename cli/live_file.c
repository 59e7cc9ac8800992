// SPDX-License-Identifier: MIT
/*
 * Files below a root. The tree may be a copy that somebody sent: anything in
 * it may be of another kind, endless or a loop.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "live.h"
#include "text.h"

static bool live_path(const struct live *live, char path[LIVE_PATH_SIZE],
		      const char *fmt, va_list args)
{
	int root = snprintf(path, LIVE_PATH_SIZE, "%s", live->root);
	int rest;

	if (root < 0 || root >= (int)LIVE_PATH_SIZE) {
		errno = ENAMETOOLONG;
		return false;
	}
	rest = vsnprintf(path + root, LIVE_PATH_SIZE - (size_t)root, fmt, args);
	if (rest < 0 || rest >= (int)LIVE_PATH_SIZE - root) {
		errno = ENAMETOOLONG;
		return false;
	}
	return true;
}

/* Sizes of files in sysfs and proc mean nothing: read to the end. */
static char *live_read_all(int fd, size_t *size)
{
	size_t room = 4096, used = 0;
	char *bytes = malloc(room + 1), *more;

	while (bytes) {
		ssize_t got = read(fd, bytes + used, room - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		used += (size_t)got;
		if (!got) {
			bytes[used] = 0;
			*size = used;
			return bytes;
		}
		if (used < room)
			continue;
		room *= 2;
		more = room <= LIVE_FILE_MOST ? realloc(bytes, room + 1) : NULL;
		if (!more) {
			errno = EFBIG;
			break;
		}
		bytes = more;
	}
	free(bytes);
	return NULL;
}

static char *live_load_path(const char *path, size_t *size)
{
	/* A pipe would keep us waiting. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *bytes = NULL;
	struct stat is;
	int why;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &is))
		why = errno;
	else if (!S_ISREG(is.st_mode))
		why = S_ISDIR(is.st_mode) ? EISDIR : EINVAL;
	else
		why = (bytes = live_read_all(fd, size)) ? 0 : errno;
	close(fd);
	errno = why;
	return bytes;
}

char *live_load(const struct live *live, size_t *size, const char *fmt, ...)
{
	char path[LIVE_PATH_SIZE];
	va_list args;
	bool fits;

	va_start(args, fmt);
	fits = live_path(live, path, fmt, args);
	va_end(args);
	return fits ? live_load_path(path, size) : NULL;
}

static bool live_line_path(const char *path, char *to, size_t size)
{
	struct text text;
	size_t length;
	char *bytes = live_load_path(path, &length);

	if (!bytes)
		return false;
	text_init(&text, path, bytes, length);
	*to = 0;
	if (text_line(&text))
		text_copy(&text, to, size);
	free(bytes);
	return true;
}

bool live_line(const struct live *live, char *to, size_t size, const char *fmt,
	       ...)
{
	char path[LIVE_PATH_SIZE];
	va_list args;
	bool fits;

	va_start(args, fmt);
	fits = live_path(live, path, fmt, args);
	va_end(args);
	return fits && live_line_path(path, to, size);
}

bool live_hex(const struct live *live, uint64_t *value, const char *fmt, ...)
{
	char path[LIVE_PATH_SIZE], line[32];
	const char *at = line;
	uint64_t got;
	va_list args;
	bool fits;

	va_start(args, fmt);
	fits = live_path(live, path, fmt, args);
	va_end(args);
	if (!fits || !live_line_path(path, line, sizeof(line)))
		return false;
	if (at[0] == '0' && at[1] == 'x')
		at += 2;
	if (!text_hex(&at, 16, &got) || *at) {
		errno = EINVAL;
		return false;
	}
	*value = got;
	return true;
}

bool live_link(const struct live *live, char *to, size_t size, const char *fmt,
	       ...)
{
	char path[LIVE_PATH_SIZE];
	ssize_t got = -1;
	va_list args;

	va_start(args, fmt);
	if (live_path(live, path, fmt, args))
		got = readlink(path, to, size);
	va_end(args);
	if (got == (ssize_t)size)
		errno = ENAMETOOLONG;
	if (got < 0 || got == (ssize_t)size)
		return false;
	to[got] = 0;
	return true;
}

static int live_compare(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int live_names_add(struct live_names *names, const char *name)
{
	uint32_t count = names->count;
	char **more;

	if (count == LIVE_NAMES_MOST) {
		errno = EFBIG;
		return -1;
	}
	if (!(count & (count - 1))) { /* doubles at each power of two */
		more = realloc(names->names,
			       (count ? count * 2 : 1) * sizeof(*more));
		if (!more)
			return -1;
		names->names = more;
	}
	names->names[count] = strdup(name);
	if (!names->names[count])
		return -1;
	names->count++;
	return 0;
}

int live_names(const struct live *live, struct live_names *names,
	       const char *fmt, ...)
{
	char path[LIVE_PATH_SIZE];
	DIR *folder = NULL;
	struct dirent *entry;
	int err = 0;
	va_list args;

	memset(names, 0, sizeof(*names));
	va_start(args, fmt);
	if (live_path(live, path, fmt, args))
		folder = opendir(path);
	va_end(args);
	if (!folder)
		return -1;
	while (!err && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			err = live_names_add(names, entry->d_name);
	closedir(folder);
	if (err) {
		live_names_free(names);
		return -1;
	}
	if (names->count)
		qsort(names->names, names->count, sizeof(*names->names),
		      live_compare);
	return 0;
}

void live_names_free(struct live_names *names)
{
	for (uint32_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
	memset(names, 0, sizeof(*names));
}

bool live_exists(const struct live *live, const char *path)
{
	char whole[LIVE_PATH_SIZE];

	return snprintf(whole, sizeof(whole), "%s%s", live->root, path) <
		       (int)sizeof(whole) &&
	       !access(whole, F_OK);
}

const char *live_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool live_refused(void)
{
	return errno == EACCES || errno == EPERM;
}
