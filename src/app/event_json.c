#include "app/event_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/codec.h"
#include "base/json.h"
#include "crypt/hmac.h"
#include "registry/event.h"

/* Whole seconds, as EventBridge writes times. */
static void time_text(int64_t at_ms, char out[ISO8601_MAX])
{
	iso8601(at_ms, out);
	char *dot = strchr(out, '.');
	if (dot != NULL)
		memcpy(dot, "Z", 2);
}

static const char *action_type(int action)
{
	switch ((enum event_action)action) {
	case EVENT_PUSH:
		return "PUSH";
	case EVENT_DELETE:
		return "DELETE";
	case EVENT_ARCHIVE:
	case EVENT_RESTORE:
		return "UPDATE_STORAGE_CLASS";
	}
	return "";
}

static void put_detail(struct json_out *o, const struct event_row *e, const char *at)
{
	char digest[DIGEST_TEXT_MAX];
	jo_object(o, "detail");
	jo_c(o, "result", "SUCCESS");
	jo_str(o, "repository-name", e->repository);
	jo_c(o, "image-digest", digest_text(&e->digest, digest));
	jo_c(o, "action-type", action_type(e->action));
	if (e->tag.len != 0)
		jo_str(o, "image-tag", e->tag);
	if (e->action == EVENT_ARCHIVE)
		jo_c(o, "target-storage-class", "ARCHIVE");
	if (e->action == EVENT_RESTORE) {
		jo_c(o, "target-storage-class", "STANDARD");
		jo_c(o, "last-activated-at", at);
	}
	jo_str(o, "manifest-media-type", e->media_type);
	if (e->artifact_type.len != 0)
		jo_str(o, "artifact-media-type", e->artifact_type);
	jo_end(o, '}');
}

void event_json(struct buf *out, const struct event_row *e)
{
	char id[UUID_TEXT_LEN + 1];
	char at[ISO8601_MAX];
	struct json_out o;
	uuid_text(e->event_id, id);
	time_text(e->at_ms, at);
	jo_init(&o, out);
	jo_object(&o, NULL);
	jo_c(&o, "version", "0");
	jo_c(&o, "id", id);
	jo_c(&o, "detail-type",
		e->kind == EVENT_REFERRER ? "ECR Referrer Action" : "ECR Image Action");
	jo_c(&o, "source", "aws.ecr");
	jo_str(&o, "account", e->account);
	jo_c(&o, "time", at);
	jo_str(&o, "region", e->region);
	jo_array(&o, "resources");
	jo_end(&o, ']');
	put_detail(&o, e, at);
	jo_end(&o, '}');
}

void event_sign(
	const struct secret *secret, int64_t unix_s, struct str body, char out[EVENT_SIGNATURE_MAX])
{
	struct buf message CLEANUP(buf_fini);
	uint8_t mac[HMAC_LEN];
	char hex[2 * HMAC_LEN + 1] = "";
	buf_init(&message, body.len + 64);
	buf_addf(&message, "%" PRId64 ".", unix_s);
	buf_add_str(&message, body);
	hmac_sha256(secret->bytes, secret->len, buf_str(&message), mac);
	hex_encode(mac, sizeof(mac), hex);
	(void)snprintf(out, EVENT_SIGNATURE_MAX, "t=%" PRId64 ",v1=%s", unix_s, hex);
}
