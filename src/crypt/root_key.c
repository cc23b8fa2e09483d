#include "crypt/root_key.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/codec.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "crypt/aead.h"
#include "crypt/hash.h"
#include "crypt/hkdf.h"
#include "crypt/random.h"
#include "crypt/root_key_priv.h"

static const char label[] = "berth root key v1";
static const char id_label[] = "berth root key id";
static const char derive_label[] = "berth root v1:";
/* What the check value wraps, and as what. */
#define CHECK_TEXT STR("berth")
#define CHECK_WHAT STR("root-key-check")
#define CHECK_LEN  (ROOT_KEY_ID_LEN + AEAD_WRAP_LEN + CHECK_TEXT.len)

void root_key_wipe(struct root_key *key)
{
	mem_wipe(key, sizeof(*key));
}

bool root_key_set(struct root_key *out, const uint8_t bytes[ROOT_KEY_LEN], struct err *err)
{
	char text[sizeof(id_label) - 1 + ROOT_KEY_LEN];
	struct digest hash;
	memcpy(text, id_label, sizeof(id_label) - 1);
	memcpy(text + sizeof(id_label) - 1, bytes, ROOT_KEY_LEN);
	bool done = hash_bytes(DIGEST_SHA256, (struct str){ text, sizeof(text) }, &hash, err);
	mem_wipe(text, sizeof(text));
	if (!done)
		return false;
	if (!secret_set(&out->secret, bytes, ROOT_KEY_LEN))
		return err_sys(err, ERR_INTERNAL, 0, "a root key does not fit a secret");
	memcpy(out->id, hash.hash, ROOT_KEY_ID_LEN);
	return true;
}

bool root_key_read(const char *path, const char *what, bool is_private, struct secret *out,
	bool *out_found, struct err *err)
{
	struct secret text CLEANUP(secret_wipe) = { .len = 0 };
	struct stat st;
	char more;
	size_t n = 0;
	int fd CLEANUP(fd_closep) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOENT) {
		*out_found = false;
		return true;
	}
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_set(err, ERR_CONFIG, "the %s %s cannot be read: %s", what, path,
			errno == EACCES ? "permission denied" : "it cannot be opened");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "the %s %s is not a file", what, path);
	if (is_private && (st.st_mode & 077) != 0)
		return err_set(err, ERR_CONFIG,
			"the %s %s may be read by others (mode %04o): chmod 600 it, and change what it holds if others did",
			what, path, (unsigned)st.st_mode & 07777);
	if (!file_pread_all(fd, text.bytes, SECRET_MAX, 0, &text.len, err) ||
		!file_pread_all(fd, &more, 1, SECRET_MAX, &n, err))
		return err_wrap(err, "reading the %s %s", what, path);
	if (n != 0)
		return err_set(err, ERR_CONFIG, "the %s %s is too long for one", what, path);
	*out = text;
	*out_found = true;
	return true;
}

bool root_key_parse(const struct secret *text, const char *first_line, uint8_t *out, size_t len)
{
	struct str first;
	struct str second;
	struct str all = { (const char *)text->bytes, text->len };
	if (!str_cut(all, '\n', &first, &second) || !str_eq_c(first, first_line))
		return false;
	/* A secret store may have dropped the end of the last line. */
	if (str_ends(second, STR("\n")))
		second.len--;
	return hex_decode(second, true, out, len);
}

void root_key_render(const char *first_line, const uint8_t *bytes, size_t len, struct secret *out)
{
	size_t n = strlen(first_line);
	assert(n + 1 + 2 * len + 1 <= SECRET_MAX);
	secret_wipe(out);
	memcpy(out->bytes, first_line, n);
	out->bytes[n] = '\n';
	char digits[SECRET_MAX];
	hex_encode(bytes, len, digits);
	memcpy(out->bytes + n + 1, digits, 2 * len);
	mem_wipe(digits, sizeof(digits));
	out->bytes[n + 1 + 2 * len] = '\n';
	out->len = n + 1 + 2 * len + 1;
}

static bool parse(const struct secret *text, const char *what, const char *path,
	struct root_key *out, struct err *err)
{
	struct secret bytes CLEANUP(secret_wipe) = { .len = ROOT_KEY_LEN };
	if (!root_key_parse(text, label, bytes.bytes, ROOT_KEY_LEN))
		return err_set(err, ERR_CONFIG,
			"the %s %s is malformed: it is to be the line '%s' and a line of %d hex digits",
			what, path, label, 2 * ROOT_KEY_LEN);
	return root_key_set(out, bytes.bytes, err);
}

/* Makes the file with a new key. False too when somebody else just did. */
static bool make(const char *path, struct err *err)
{
	struct secret bytes CLEANUP(secret_wipe) = { .len = ROOT_KEY_LEN };
	struct secret text CLEANUP(secret_wipe) = { .len = 0 };
	bool made;
	random_bytes(bytes.bytes, bytes.len);
	root_key_render(label, bytes.bytes, bytes.len, &text);
	if (!file_write_new(
		    path, (struct str){ (const char *)text.bytes, text.len }, 0600, &made, err))
		return err_wrap(err, "making the root key file");
	return made || err_set(err, ERR_CONFIG,
			       "the root key file %s came into being at this moment", path);
}

bool root_key_from_file(
	const char *path, bool may_make, struct root_key *out, bool *out_made, struct err *err)
{
	struct secret text CLEANUP(secret_wipe) = { .len = 0 };
	bool is_found = false;
	bool is_made = false;
	if (!root_key_read(path, "root key file", true, &text, &is_found, err))
		return false;
	if (!is_found && may_make) {
		/* Used as it is read back, so that what was made is known to serve. */
		if (!make(path, err) ||
			!root_key_read(path, "root key file", true, &text, &is_found, err))
			return false;
		is_made = true;
	}
	if (!is_found)
		return err_set(err, ERR_CONFIG,
			"the root key file %s is missing: without it nothing that is stored can be read, so put it back",
			path);
	if (!parse(&text, "root key file", path, out, err))
		return false;
	*out_made = is_made;
	return true;
}

bool root_key_from_credential(const char *folder, struct root_key *out, struct err *err)
{
	struct secret text CLEANUP(secret_wipe) = { .len = 0 };
	char path[4096];
	bool is_found = false;
	int n = snprintf(path, sizeof(path), "%s/" ROOT_KEY_CREDENTIAL, folder);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(err, ERR_CONFIG, "the path of the credentials is too long");
	if (!root_key_read(path, "root key credential", false, &text, &is_found, err))
		return false;
	if (!is_found)
		return err_set(err, ERR_CONFIG,
			"there is no credential '" ROOT_KEY_CREDENTIAL
			"' in %s: give LoadCredential= or LoadCredentialEncrypted= in the unit",
			folder);
	return parse(&text, "root key credential", path, out, err);
}

bool root_key_derive(
	const struct root_key *root, struct str purpose, struct secret *out, struct err *err)
{
	char info[128];
	const size_t n = sizeof(derive_label) - 1;
	assert(purpose.len != 0 && purpose.len <= sizeof(info) - n);
	memcpy(info, derive_label, n);
	memcpy(info + n, purpose.ptr, purpose.len);
	return hkdf_sha256(&root->secret, STR(""), (struct str){ info, n + purpose.len },
		ROOT_KEY_LEN, out, err);
}

bool root_key_check_value(const struct root_key *root, struct buf *out, struct err *err)
{
	struct secret key CLEANUP(secret_wipe) = { .len = 0 };
	struct buf value CLEANUP(buf_fini);
	buf_init(&value, CHECK_LEN);
	buf_add(&value, root->id, ROOT_KEY_ID_LEN);
	if (!root_key_derive(root, CHECK_WHAT, &key, err) ||
		!aead_wrap(&key, CHECK_WHAT, CHECK_TEXT, &value, err))
		return false;
	buf_add_str(out, buf_str(&value));
	return buf_ok(out) || err_set(err, ERR_UNAVAILABLE, "out of memory");
}

bool root_key_verify(const struct root_key *root, struct str value, struct err *err)
{
	struct secret key CLEANUP(secret_wipe) = { .len = 0 };
	struct secret text CLEANUP(secret_wipe) = { .len = 0 };
	struct err why;
	char given[2 * ROOT_KEY_ID_LEN];
	char wanted[2 * ROOT_KEY_ID_LEN];
	if (value.len != CHECK_LEN)
		return err_sys(err, ERR_CORRUPT, 0, "root key check value of %zu bytes", value.len);
	if (!root_key_derive(root, CHECK_WHAT, &key, err))
		return false;
	bool is_same_id = memcmp(value.ptr, root->id, ROOT_KEY_ID_LEN) == 0;
	bool opens = aead_unwrap_secret(
		&key, CHECK_WHAT, str_sub(value, ROOT_KEY_ID_LEN, SIZE_MAX), &text, &why);
	if (!opens && why.kind != ERR_CORRUPT) {
		*err = why;
		return false;
	}
	if (opens && is_same_id)
		return true;
	/* One of the two speaks for this key: the other part of the value is damaged. */
	if (opens || is_same_id)
		return err_sys(err, ERR_CORRUPT, 0, "the root key check value is damaged");
	hex_encode(root->id, ROOT_KEY_ID_LEN, given);
	hex_encode((const uint8_t *)value.ptr, ROOT_KEY_ID_LEN, wanted);
	return err_set(err, ERR_CONFIG,
		"this is another root key (%.*s) than the data was written under (%.*s)",
		(int)sizeof(given), given, (int)sizeof(wanted), wanted);
}
