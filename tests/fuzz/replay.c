/*
 * Runs a target over every file of the folder named first: the whole file and its prefixes, each in
 * memory of exactly its size, so that a sanitizer sees the first byte read beyond. A crash ends the
 * program and so fails the test.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "fuzz.h"

#define INPUT_MAX    (1 * MIB)
#define PREFIXES_MAX 1024

static void run(const char *bytes, size_t len)
{
	uint8_t *exact = malloc(len);
	if (len != 0) {
		CHECK(exact != NULL);
		memcpy(exact, bytes, len);
	}
	CHECK(LLVMFuzzerTestOneInput(exact, len) == 0);
	free(exact);
}

static bool replay(const char *path, struct err *err)
{
	struct buf input CLEANUP(buf_fini);
	buf_init(&input, INPUT_MAX);
	if (!file_read(path, &input, err))
		return false;
	struct str bytes = buf_str(&input);
	for (size_t len = 0; len < bytes.len && len < PREFIXES_MAX; len++)
		run(bytes.ptr, len);
	run(bytes.ptr, bytes.len);
	return true;
}

/* The number of inputs, or -1. */
static int replay_folder(const char *folder)
{
	int inputs = 0;
	DIR *dir = opendir(folder);
	if (dir == NULL)
		return -1;
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe): one thread */
		char path[1024];
		struct err err;
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (!replay(path, &err)) {
			printf("# %s: %s %s\n", path, err_text(&err), err.detail);
			inputs = -1;
			break;
		}
		inputs++;
	}
	closedir(dir);
	return inputs;
}

int main(int argc, char **argv)
{
	int inputs = argc == 2 ? replay_folder(argv[1]) : -1;
	/* No input is a failure too: the corpus was mislaid. */
	printf("1..1\n%s 1 - replayed %d inputs and their prefixes\n", inputs > 0 ? "ok" : "not ok",
		inputs);
	return inputs > 0 ? 0 : 1;
}
