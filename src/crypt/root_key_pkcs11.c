#include <assert.h>
#include <dlfcn.h>
#include <stdlib.h>

#include "crypt/root_key.h"

/* By its full path, as it needs no other header. */
#include <p11-kit-1/p11-kit/pkcs11.h>

#include "base/file.h"
#include "base/mem.h"
#include "crypt/random.h"
#include "crypt/root_key_priv.h"

#define NONCE_LEN   12
#define TAG_LEN     16
#define WRAPPED_LEN (NONCE_LEN + ROOT_KEY_LEN + TAG_LEN)
#define SLOTS_MAX   256
#define LABEL_MAX   64

static const char label[] = "berth root key v1 wrapped by PKCS#11";

struct hsm {
	const struct root_key_pkcs11 *from;
	CK_FUNCTION_LIST *f;
	bool is_initialized; /* by us, so that it is ours to end */
	bool has_session;
	CK_SESSION_HANDLE session;
};

static void hsm_close(struct hsm *h)
{
	if (h->has_session)
		(void)h->f->C_CloseSession(h->session); /* which logs out too */
	if (h->is_initialized)
		(void)h->f->C_Finalize(NULL);
}

static const char *rv_name(CK_RV rv)
{
	switch (rv) {
	case CKR_PIN_INCORRECT:
		return "the PIN is wrong";
	case CKR_PIN_LOCKED:
		return "the PIN is locked";
	case CKR_PIN_EXPIRED:
		return "the PIN has expired";
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
		return "the PIN cannot be one";
	case CKR_USER_PIN_NOT_INITIALIZED:
		return "the token has no user PIN";
	case CKR_TOKEN_WRITE_PROTECTED:
		return "the token is write-protected";
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_DEVICE_REMOVED:
		return "the token is gone";
	case CKR_DEVICE_ERROR:
		return "the device failed";
	case CKR_DEVICE_MEMORY:
		return "the token is full";
	case CKR_MECHANISM_INVALID:
	case CKR_MECHANISM_PARAM_INVALID:
		return "the token cannot do AES-GCM";
	case CKR_KEY_FUNCTION_NOT_PERMITTED:
		return "the key may not encrypt and decrypt";
	default:
		return "the call failed";
	}
}

static bool fail(const struct hsm *h, const char *call, CK_RV rv, struct err *err)
{
	enum err_kind kind = rv == CKR_DEVICE_ERROR || rv == CKR_DEVICE_REMOVED ||
					     rv == CKR_TOKEN_NOT_PRESENT ||
					     rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED
				     ? ERR_UNAVAILABLE
				     : ERR_CONFIG;
	return err_set(err, kind, "PKCS#11 token '%s': %s (%s: 0x%lx)", h->from->token, rv_name(rv),
		call, rv);
}

static bool load(struct hsm *h, struct err *err)
{
	CK_C_GetFunctionList get = NULL;
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	/* It stays loaded: modules leave exit handlers and thread data behind. */
	void *module = dlopen(h->from->module, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (module == NULL)
		/* glibc keeps the text per thread. NOLINTNEXTLINE(concurrency-mt-unsafe) */
		return err_set(
			err, ERR_CONFIG, "the PKCS#11 module cannot be loaded: %s", dlerror());
	void *symbol = dlsym(module, "C_GetFunctionList");
	memcpy(&get, &symbol, sizeof(get)); /* ISO C has no cast from object to function */
	(void)dlclose(module);
	if (get == NULL || get(&h->f) != CKR_OK || h->f == NULL)
		return err_set(err, ERR_CONFIG, "%s is no PKCS#11 module", h->from->module);
	CK_RV rv = h->f->C_Initialize(&args);
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return err_set(err, ERR_CONFIG, "the PKCS#11 module %s does not start (0x%lx)",
			h->from->module, rv);
	h->is_initialized = rv == CKR_OK;
	return true;
}

/* Labels of tokens are padded with blanks. */
static bool is_labelled(const CK_TOKEN_INFO *info, const char *wanted)
{
	struct str have = { (const char *)info->label, sizeof(info->label) };
	while (have.len != 0 && have.ptr[have.len - 1] == ' ')
		have.len--;
	return str_eq_c(have, wanted);
}

static bool find_token(const struct hsm *h, CK_SLOT_ID *out, struct err *err)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX;
	size_t found = 0;
	assert(h->f != NULL); /* load comes first */
	CK_RV rv = h->f->C_GetSlotList(CK_TRUE, slots, &n);
	if (rv != CKR_OK)
		return fail(h, "C_GetSlotList", rv, err);
	for (size_t i = 0; i < n; i++) {
		CK_TOKEN_INFO info;
		if (h->f->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
			(info.flags & CKF_TOKEN_INITIALIZED) != 0 &&
			is_labelled(&info, h->from->token)) {
			*out = slots[i];
			found++;
		}
	}
	if (found != 1)
		return err_set(err, ERR_CONFIG,
			"the PKCS#11 module %s has %s token with the label '%s'", h->from->module,
			found == 0 ? "no" : "more than one", h->from->token);
	return true;
}

static bool read_pin(const struct root_key_pkcs11 *from, struct secret *out, struct err *err)
{
	bool is_found = false;
	if (!root_key_read(from->pin_file, "PIN file", true, out, &is_found, err))
		return false;
	if (!is_found)
		return err_set(err, ERR_CONFIG, "the PIN file %s is missing", from->pin_file);
	struct str line = { (const char *)out->bytes, out->len };
	if (str_ends(line, STR("\n")))
		line.len--;
	out->len = line.len;
	if (line.len == 0 || str_find_char(line, '\n') != line.len)
		return err_set(
			err, ERR_CONFIG, "the PIN file %s is to hold one line", from->pin_file);
	return true;
}

static bool log_in(struct hsm *h, struct err *err)
{
	struct secret pin CLEANUP(secret_wipe) = { .len = 0 };
	CK_SLOT_ID slot = 0;
	if (!read_pin(h->from, &pin, err) || !load(h, err) || !find_token(h, &slot, err))
		return false;
	assert(h->f != NULL);
	CK_FLAGS flags = CKF_SERIAL_SESSION | (h->from->may_make ? CKF_RW_SESSION : 0);
	CK_RV rv = h->f->C_OpenSession(slot, flags, NULL, NULL, &h->session);
	if (rv != CKR_OK)
		return fail(h, "C_OpenSession", rv, err);
	h->has_session = true;
	rv = h->f->C_Login(h->session, CKU_USER, pin.bytes, pin.len);
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
		return fail(h, "C_Login", rv, err);
	return true;
}

/* The attributes of the key; PKCS#11 takes pointers to what it only reads. */
struct key_form {
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE type;
	CK_ULONG len;
	CK_BBOOL yes, no;
	char label[LABEL_MAX + 1];
	CK_ULONG label_len;
};

static bool form_of(const struct hsm *h, struct key_form *out, struct err *err)
{
	*out = (struct key_form){ .class = CKO_SECRET_KEY, .type = CKK_AES, .len = ROOT_KEY_LEN };
	out->yes = CK_TRUE;
	out->label_len = strlen(h->from->key_label);
	if (!str_to_c(str_from(h->from->key_label), out->label, sizeof(out->label)))
		return err_set(
			err, ERR_CONFIG, "the label of a key has at most %d characters", LABEL_MAX);
	return true;
}

/* *out_found is false when the token has no such key. */
static bool find_key(const struct hsm *h, CK_OBJECT_HANDLE *out, bool *out_found, struct err *err)
{
	struct key_form form;
	CK_OBJECT_HANDLE keys[2];
	CK_ULONG n = 0;
	if (!form_of(h, &form, err))
		return false;
	CK_ATTRIBUTE wanted[] = {
		{ CKA_CLASS, &form.class, sizeof(form.class) },
		{ CKA_KEY_TYPE, &form.type, sizeof(form.type) },
		{ CKA_LABEL, form.label, form.label_len },
	};
	CK_RV rv = h->f->C_FindObjectsInit(h->session, wanted, ARRAY_LEN(wanted));
	if (rv != CKR_OK)
		return fail(h, "C_FindObjectsInit", rv, err);
	rv = h->f->C_FindObjects(h->session, keys, ARRAY_LEN(keys), &n);
	(void)h->f->C_FindObjectsFinal(h->session);
	if (rv != CKR_OK)
		return fail(h, "C_FindObjects", rv, err);
	if (n > 1)
		return err_set(err, ERR_CONFIG,
			"PKCS#11 token '%s' has more than one AES key with the label '%s'",
			h->from->token, h->from->key_label);
	*out_found = n == 1;
	if (n == 1)
		*out = keys[0];
	return true;
}

/* A key that never leaves the token. */
static bool make_key(const struct hsm *h, CK_OBJECT_HANDLE *out, struct err *err)
{
	struct key_form form;
	CK_MECHANISM mechanism = { CKM_AES_KEY_GEN, NULL, 0 };
	if (!form_of(h, &form, err))
		return false;
	CK_ATTRIBUTE wanted[] = {
		{ CKA_CLASS, &form.class, sizeof(form.class) },
		{ CKA_KEY_TYPE, &form.type, sizeof(form.type) },
		{ CKA_VALUE_LEN, &form.len, sizeof(form.len) },
		{ CKA_LABEL, form.label, form.label_len },
		{ CKA_TOKEN, &form.yes, sizeof(form.yes) },
		{ CKA_PRIVATE, &form.yes, sizeof(form.yes) },
		{ CKA_SENSITIVE, &form.yes, sizeof(form.yes) },
		{ CKA_EXTRACTABLE, &form.no, sizeof(form.no) },
		{ CKA_ENCRYPT, &form.yes, sizeof(form.yes) },
		{ CKA_DECRYPT, &form.yes, sizeof(form.yes) },
	};
	CK_RV rv = h->f->C_GenerateKey(h->session, &mechanism, wanted, ARRAY_LEN(wanted), out);
	return rv == CKR_OK || fail(h, "C_GenerateKey", rv, err);
}

/* One AES-GCM call. in and out may not overlap: not every module allows it. */
static CK_RV gcm(const struct hsm *h, CK_OBJECT_HANDLE key, bool encrypts, const uint8_t *nonce,
	struct secret *in, struct secret *out)
{
	/* PKCS#11 takes pointers to what it only reads. */
	uint8_t aad[sizeof(label)];
	uint8_t iv[NONCE_LEN];
	memcpy(aad, label, sizeof(label));
	memcpy(iv, nonce, NONCE_LEN);
	CK_GCM_PARAMS params = { iv, NONCE_LEN, (CK_ULONG)8 * NONCE_LEN, aad, sizeof(label) - 1,
		(CK_ULONG)8 * TAG_LEN };
	CK_MECHANISM mechanism = { CKM_AES_GCM, &params, sizeof(params) };
	CK_ULONG n = SECRET_MAX;
	CK_RV rv = encrypts ? h->f->C_EncryptInit(h->session, &mechanism, key)
			    : h->f->C_DecryptInit(h->session, &mechanism, key);
	if (rv != CKR_OK)
		return rv;
	rv = encrypts ? h->f->C_Encrypt(h->session, in->bytes, in->len, out->bytes, &n)
		      : h->f->C_Decrypt(h->session, in->bytes, in->len, out->bytes, &n);
	out->len = n;
	return rv;
}

static bool unwrap(const struct hsm *h, CK_OBJECT_HANDLE key, const struct secret *text,
	struct root_key *out, struct err *err)
{
	uint8_t wrapped[WRAPPED_LEN];
	struct secret in CLEANUP(secret_wipe) = { .len = 0 };
	struct secret plain CLEANUP(secret_wipe) = { .len = 0 };
	if (!root_key_parse(text, label, wrapped, sizeof(wrapped)) ||
		!secret_set(&in, wrapped + NONCE_LEN, sizeof(wrapped) - NONCE_LEN))
		return err_set(err, ERR_CONFIG,
			"the wrapped root key file %s is malformed: it is to be the line '%s' and a line of %d hex digits",
			h->from->wrapped_file, label, 2 * WRAPPED_LEN);
	CK_RV rv = gcm(h, key, false, wrapped, &in, &plain);
	if (rv == CKR_MECHANISM_INVALID || rv == CKR_DEVICE_ERROR || rv == CKR_DEVICE_REMOVED ||
		rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
		return fail(h, "C_Decrypt", rv, err);
	/* Modules differ in what they call bytes that are not authentic. */
	if (rv != CKR_OK || plain.len != ROOT_KEY_LEN)
		return err_set(err, ERR_CONFIG,
			"the key '%s' of PKCS#11 token '%s' does not open the wrapped root key file %s: it is another key, or the file is damaged (0x%lx)",
			h->from->key_label, h->from->token, h->from->wrapped_file, rv);
	return root_key_set(out, plain.bytes, err);
}

/* A new root key, wrapped, in its file. */
static bool make_wrapped(
	const struct hsm *h, CK_OBJECT_HANDLE key, struct secret *text, struct err *err)
{
	uint8_t wrapped[WRAPPED_LEN];
	struct secret plain CLEANUP(secret_wipe) = { .len = ROOT_KEY_LEN };
	struct secret sealed CLEANUP(secret_wipe) = { .len = 0 };
	bool made;
	random_bytes(plain.bytes, plain.len);
	random_bytes(wrapped, NONCE_LEN);
	CK_RV rv = gcm(h, key, true, wrapped, &plain, &sealed);
	if (rv != CKR_OK)
		return fail(h, "C_Encrypt", rv, err);
	if (sealed.len != ROOT_KEY_LEN + TAG_LEN)
		return err_set(err, ERR_CONFIG,
			"PKCS#11 token '%s' does AES-GCM in a way that is not understood",
			h->from->token);
	memcpy(wrapped + NONCE_LEN, sealed.bytes, sealed.len);
	root_key_render(label, wrapped, sizeof(wrapped), text);
	struct str content = { (const char *)text->bytes, text->len };
	if (!file_write_new(h->from->wrapped_file, content, 0600, &made, err))
		return err_wrap(err, "making the wrapped root key file");
	return made || err_set(err, ERR_CONFIG,
			       "the wrapped root key file %s came into being at this moment",
			       h->from->wrapped_file);
}

bool root_key_from_pkcs11(
	const struct root_key_pkcs11 *from, struct root_key *out, bool *out_made, struct err *err)
{
	struct hsm h CLEANUP(hsm_close) = { .from = from };
	struct secret text CLEANUP(secret_wipe) = { .len = 0 };
	CK_OBJECT_HANDLE key = 0;
	bool has_key = false;
	bool has_file = false;
	/* Useless without the token, so others may read it. */
	if (!root_key_read(
		    from->wrapped_file, "wrapped root key file", false, &text, &has_file, err) ||
		!log_in(&h, err) || !find_key(&h, &key, &has_key, err))
		return false;
	if (!has_file && !from->may_make)
		return err_set(err, ERR_CONFIG,
			"the wrapped root key file %s is missing: without it nothing that is stored can be read, so put it back",
			from->wrapped_file);
	/* A new key would not open the file that is there. */
	if (!has_key && (has_file || !from->may_make))
		return err_set(err, ERR_CONFIG,
			"PKCS#11 token '%s' has no AES key with the label '%s'", from->token,
			from->key_label);
	if (!has_key && !make_key(&h, &key, err))
		return false;
	if (!has_file && !make_wrapped(&h, key, &text, err))
		return false;
	if (!unwrap(&h, key, &text, out, err))
		return false;
	*out_made = !has_file;
	return true;
}
