/* A bundle from anybody: headers, names, sizes and the index are read, and what is found lies inside the
 * file. */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "oci/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A checksum is in the way of every change of a header: it is made right. */
static void mend(uint8_t *p, size_t size)
{
	for (size_t at = 0; at + 512 <= size; at += 512) {
		unsigned sum = 0;
		if (memcmp(p + at + 257, "ustar", 5) != 0)
			continue;
		memset(p + at + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += p[at + i];
		(void)snprintf((char *)p + at + 148, 8, "%06o", sum);
	}
}

static void look(const struct mf_archive *a, const char *name, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf out MF_BUF_CLEANUP = MF_BUF_INIT(size);
	const struct mf_member *m = mf_archive_find(a, name);
	if (!m)
		return;
	assert(strcmp(m->name, name) == 0 && m->offset <= size && m->size <= size - m->offset);
	assert(mf_archive_read(a, m, size, &out, &err) == 0 && out.n == m->size);
}

static void look_inside(const char *path, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_bundle *b = NULL;
	struct mf_ref ref MF_REF_CLEANUP = {0};
	struct mf_tags tags MF_TAGS_CLEANUP = {0};
	if (mf_bundle_open(path, &b, &err) < 0) {
		assert(err.code == MF_E_FORMAT);
		return;
	}
	look(mf_bundle_archive(b), "index.json", size);
	look(mf_bundle_archive(b), "trust/oci/timestamp.json", size);
	assert(mf_ref_parse(&ref, MF_STR("oci:dir:1.0"), &err) == 0);
	struct mf_image_store *s = mf_bundle_store(b, &ref, &err);
	assert(s);
	if (mf_tags_list(s, &tags, &err) < 0)
		assert(err.code == MF_E_FORMAT);
	for (size_t i = 0; i < tags.n; i++) {
		struct mf_manifest m MF_MANIFEST_CLEANUP = {0};
		struct mf_err why = MF_ERR_INIT;
		if (mf_manifest_get_tag(s, tags.v[i].name, &m, &why) < 0)
			assert(why.code == MF_E_FORMAT || why.code == MF_E_DIGEST ||
			       why.code == MF_E_NOT_FOUND || why.code == MF_E_AMBIGUOUS);
	}
	mf_image_store_free(s);
	mf_bundle_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_archive *a MF_ARCHIVE_CLEANUP = NULL;
	char path[64];
	uint8_t *copy MF_FREE = malloc(size + 1);
	int fd = memfd_create("bundle", MFD_CLOEXEC);
	assert(copy && fd >= 0);
	if (size)
		memcpy(copy, data, size);
	mend(copy, size);
	assert(write(fd, copy, size) == (ssize_t)size);
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (mf_archive_open(path, &a, &err) < 0)
		assert(err.code == MF_E_FORMAT);
	else
		look_inside(path, size);
	(void)close(fd);
	return 0;
}
