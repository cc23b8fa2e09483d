#include "app/audit_record.h"

#include <stdio.h>

#include "base/codec.h"
#include "base/json.h"
#include "crypt/random.h"
#include "front/audit.h"

#define VERSION  "1.10" /* of CloudTrail's records */
#define TEXT_MAX 1024   /* of what a client sent: longer agents are cut */

/* CloudTrail's times have whole seconds. */
static void put_time(struct json_out *o, const char *name, int64_t at_ms)
{
	char text[ISO8601_MAX];
	iso8601(at_ms, text);
	char *dot = strchr(text, '.');
	if (dot != NULL)
		memcpy(dot, "Z", 2);
	jo_c(o, name, text);
}

static void put_event_id(struct json_out *o)
{
	uint8_t uuid[16];
	char text[UUID_TEXT_LEN + 1];
	random_uuid(uuid);
	uuid_text(uuid, text);
	jo_c(o, "eventID", text);
}

static void put_opt(struct json_out *o, const char *name, struct str value)
{
	if (value.len != 0)
		jo_str(o, name, value);
}

static void put_object(struct json_out *o, const char *name, struct str json)
{
	jo_raw(o, name, json.len != 0 ? json : STR("null"));
}

static void put_repository(
	struct json_out *o, struct str account, struct str region, struct str name)
{
	char arn[512];
	int n = snprintf(arn, sizeof(arn),
		"arn:aws:ecr:" STR_FMT ":" STR_FMT ":repository/" STR_FMT, STR_ARG(region),
		STR_ARG(account), STR_ARG(name));
	if (n < 0 || (size_t)n >= sizeof(arn))
		return; /* no name of a repository */
	jo_object(o, NULL);
	jo_c(o, "ARN", arn);
	jo_str(o, "accountId", account);
	jo_c(o, "type", "AWS::ECR::Repository");
	jo_end(o, '}');
}

/* --- who --- */

/* For a session: since when, and of a role which. */
static void put_session(struct json_out *o, const struct principal *who)
{
	struct str id;
	struct str rest;
	if (who->session.len == 0)
		return;
	jo_object(o, "sessionContext");
	if (who->role_arn.len != 0) {
		(void)str_cut(who->user_id, ':', &id, &rest);
		jo_object(o, "sessionIssuer");
		jo_c(o, "type", "Role");
		jo_str(o, "principalId", id);
		jo_str(o, "arn", who->role_arn);
		jo_str(o, "accountId", who->account);
		jo_str(o, "userName", who->name);
		jo_end(o, '}');
	}
	jo_object(o, "attributes");
	put_time(o, "creationDate", who->session_issued_ms);
	jo_c(o, "mfaAuthenticated", "false");
	jo_end(o, '}');
	jo_end(o, '}');
}

static const char *identity_type(const struct principal *who)
{
	if (who->role_arn.len != 0)
		return "AssumedRole";
	return who->is_root ? "Root" : "IAMUser";
}

static void put_identity(struct json_out *o, const struct audit_note *note)
{
	const struct principal *who = &note->who;
	jo_object(o, "userIdentity");
	if (note->has_who) {
		jo_c(o, "type", identity_type(who));
		jo_str(o, "principalId", who->user_id);
		jo_str(o, "arn", who->arn);
		jo_str(o, "accountId", who->account);
		put_opt(o, "accessKeyId", who->key_id);
		if (who->role_arn.len == 0 && !who->is_root)
			put_opt(o, "userName", who->name);
		put_session(o, who);
	} else if (note->subject.len != 0) {
		jo_c(o, "type", "WebIdentityUser");
		jo_str(o, "userName", note->subject);
		jo_str(o, "identityProvider", note->provider);
	} else {
		jo_c(o, "type", "Unknown"); /* nobody, or not who it said */
	}
	jo_end(o, '}');
}

/* --- what --- */

/* The data plane's codes are OCI's; who searches the log knows ECR's. */
static struct str error_code(const struct audit_note *note)
{
	static const struct {
		const char *oci, *ecr;
	} codes[] = {
		{ "DENIED", "AccessDenied" },
		{ "UNAUTHORIZED", "UnrecognizedClientException" },
		{ "NAME_UNKNOWN", "RepositoryNotFoundException" },
		{ "NAME_INVALID", "InvalidParameterException" },
		{ "MANIFEST_UNKNOWN", "ImageNotFoundException" },
		{ "MANIFEST_INVALID", "InvalidParameterException" },
		{ "MANIFEST_BLOB_UNKNOWN", "LayersNotFoundException" },
		{ "BLOB_UNKNOWN", "LayersNotFoundException" },
		{ "BLOB_UPLOAD_UNKNOWN", "UploadNotFoundException" },
		{ "BLOB_UPLOAD_INVALID", "InvalidLayerPartException" },
		{ "DIGEST_INVALID", "InvalidLayerException" },
		{ "TAG_INVALID", "InvalidTagParameterException" },
		{ "SIZE_INVALID", "LimitExceededException" },
		{ "TOOMANYREQUESTS", "ThrottlingException" },
		{ "UNAVAILABLE", "ServiceUnavailableException" },
		{ "UNKNOWN", "ServerException" },
	};

	for (size_t i = 0; note->is_data_plane && i < ARRAY_LEN(codes); i++) {
		if (str_eq_c(note->error_code, codes[i].oci))
			return str_from(codes[i].ecr);
	}
	return note->error_code;
}

static bool is_read_only(struct str event)
{
	static const char *const prefixes[] = { "Get", "List", "Describe", "BatchGet", "BatchCheck",
		"Simulate", "Ping", "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey",
		"AssumeRole" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (str_starts(event, str_from(prefixes[i])))
			return true;
	}
	return false;
}

static void put_error(struct json_out *o, const struct http_req *req)
{
	const struct audit_note *note = req->audit;
	if (note->error_code.len != 0) {
		jo_str(o, "errorCode", error_code(note));
		put_opt(o, "errorMessage", str_sub(note->error_message, 0, TEXT_MAX));
	} else if (req->status == 0) {
		/* Nothing was answered: the client went away midway. */
		jo_c(o, "errorCode", "RequestAbortedException");
	}
}

static void put_resources(
	struct json_out *o, const struct http_req *req, struct str account, struct str region)
{
	const struct audit_note *note = req->audit;
	if (req->log_repository.len == 0 || account.len == 0)
		return;
	jo_array(o, "resources");
	put_repository(o, account, region, req->log_repository);
	if (note->other_repository.len != 0)
		put_repository(o, account, region, note->other_repository);
	jo_end(o, ']');
}

static void put_request_id(struct json_out *o, const char *id)
{
	char text[UUID_TEXT_LEN + 1];
	(void)snprintf(text, sizeof(text), "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12,
		id + 16, id + 20);
	jo_c(o, "requestID", text);
}

void audit_record_request(
	struct buf *out, const struct http_req *req, const struct audit_context *context)
{
	const struct audit_note *note = req->audit;
	struct json_out o;
	struct str event = str_from(note->event != NULL ? note->event : req->op->name);
	struct str account = context->account;
	struct str region = context->region;
	if (note->has_who) {
		account = note->who.account;
		region = note->who.region;
	}
	/* The registry that is meant may be another account's, or of another Region. */
	if (req->log_registry.len != 0)
		(void)str_cut(req->log_registry, '/', &account, &region);
	jo_init(&o, out);
	jo_object(&o, NULL);
	jo_c(&o, "eventVersion", VERSION);
	put_identity(&o, note);
	put_time(&o, "eventTime", context->now_ms);
	jo_c(&o, "eventSource", note->source);
	jo_str(&o, "eventName", event);
	jo_str(&o, "awsRegion", region);
	jo_str(&o, "sourceIPAddress", req->remote_ip);
	put_opt(&o, "userAgent", str_sub(context->user_agent, 0, TEXT_MAX));
	put_error(&o, req);
	put_object(&o, "requestParameters", note->parameters);
	put_object(&o, "responseElements",
		note->error_code.len == 0 ? note->response : (struct str){ NULL, 0 });
	put_request_id(&o, req->id);
	put_event_id(&o);
	jo_bool(&o, "readOnly", is_read_only(event));
	put_resources(&o, req, account, region);
	jo_c(&o, "eventType", "AwsApiCall");
	jo_bool(&o, "managementEvent", true);
	jo_str(&o, "recipientAccountId", account);
	jo_c(&o, "eventCategory", "Management");
	jo_end(&o, '}');
}

/* --- lifecycle policies --- */

static const char *count_type(struct str type)
{
	if (str_eq_c(type, "imageCountMoreThan"))
		return "Image count more than";
	if (str_eq_c(type, "sinceImagePushed"))
		return "Since image pushed";
	if (str_eq_c(type, "sinceImagePulled"))
		return "Since image pulled";
	return "Since image transitioned";
}

static const char *tag_status(struct str status)
{
	if (str_eq_c(status, "tagged"))
		return "Tagged";
	return str_eq_c(status, "untagged") ? "Untagged" : "Any";
}

static void put_list(struct json_out *o, const char *name, const struct json *list)
{
	jo_array(o, name);
	for (size_t i = 0; i < json_len(list); i++)
		jo_str(o, NULL, json_str(json_at(list, i)));
	jo_end(o, ']');
}

static void put_rule(struct json_out *o, const struct json *rule)
{
	const struct json *s = json_get(rule, "selection");
	const struct json *patterns = json_get(s, "tagPatternList");
	jo_object(o, NULL);
	jo_int(o, "rulePriority", json_int(json_get(rule, "rulePriority"), 0));
	put_opt(o, "description", json_get_str(rule, "description"));
	jo_object(o, "lifecycleEventSelection");
	jo_c(o, "tagStatus", tag_status(json_get_str(s, "tagStatus")));
	put_list(o, "tagPrefixList", json_get(s, "tagPrefixList"));
	if (patterns != NULL)
		put_list(o, "tagPatternList", patterns);
	put_opt(o, "storageClass", json_get_str(s, "storageClass"));
	jo_c(o, "countType", count_type(json_get_str(s, "countType")));
	put_opt(o, "countUnit", json_get_str(s, "countUnit"));
	jo_int(o, "countNumber", json_int(json_get(s, "countNumber"), 0));
	jo_end(o, '}');
	jo_str(o, "action", json_get_str(json_get(rule, "action"), "type"));
	jo_end(o, '}');
}

static void put_policy(struct json_out *o, const struct lifecycle_told *told)
{
	struct json *policy CLEANUP(json_freep) = NULL;
	struct err unused;
	jo_object(o, "lifecycleEventPolicy");
	jo_array(o, "lifecycleEventRules");
	/* It was taken when it was set, so it parses; a record without rules beats none. */
	if (json_parse(told->policy, &policy, &unused)) {
		const struct json *rules = json_get(policy, "rules");
		for (size_t i = 0; i < json_len(rules); i++)
			put_rule(o, json_at(rules, i));
	}
	jo_end(o, ']');
	jo_int(o, "lastEvaluatedAt", told->evaluated_at_ms);
	jo_int(o, "policyVersion", told->version);
	jo_end(o, '}');
}

static void put_image(struct json_out *o, const struct lifecycle_told_image *image)
{
	char digest[DIGEST_TEXT_MAX];
	jo_object(o, NULL);
	jo_object(o, "lifecycleEventImage");
	jo_c(o, "digest", digest_text(&image->digest, digest));
	jo_c(o, "tagStatus", image->tag_count != 0 ? "Tagged" : "Untagged");
	jo_array(o, "tagList");
	for (size_t i = 0; i < image->tag_count; i++)
		jo_str(o, NULL, image->tags[i]);
	jo_end(o, ']');
	jo_int(o, "pushedAt", image->pushed_at_ms);
	jo_end(o, '}');
	jo_int(o, "rulePriority", image->priority);
	jo_c(o, "action", image->action == LIFECYCLE_TRANSITION ? "transition" : "expire");
	jo_end(o, '}');
}

void audit_record_lifecycle(struct buf *out, const struct lifecycle_told *told, int64_t now_ms)
{
	struct json_out o;
	jo_init(&o, out);
	jo_object(&o, NULL);
	jo_c(&o, "eventVersion", VERSION);
	jo_object(&o, "userIdentity");
	jo_str(&o, "accountId", told->account);
	jo_c(&o, "invokedBy", "AWS Internal");
	jo_end(&o, '}');
	put_time(&o, "eventTime", now_ms);
	jo_c(&o, "eventSource", "ecr.amazonaws.com");
	jo_c(&o, "eventName", told->is_preview ? "DryRunEvent" : "PolicyExecutionEvent");
	jo_str(&o, "awsRegion", told->region);
	jo_c(&o, "sourceIPAddress", "AWS Internal");
	jo_c(&o, "userAgent", "AWS Internal");
	put_object(&o, "requestParameters", STR(""));
	put_object(&o, "responseElements", STR(""));
	put_event_id(&o);
	jo_bool(&o, "readOnly", told->is_preview);
	jo_array(&o, "resources");
	put_repository(&o, told->account, told->region, told->repository);
	jo_end(&o, ']');
	jo_c(&o, "eventType", "AwsServiceEvent");
	jo_bool(&o, "managementEvent", true);
	jo_str(&o, "recipientAccountId", told->account);
	jo_object(&o, "serviceEventDetails");
	jo_str(&o, "repositoryName", told->repository);
	put_policy(&o, told);
	jo_array(&o, "lifecycleEventImageActions");
	for (size_t i = 0; i < told->count; i++)
		put_image(&o, &told->images[i]);
	jo_end(&o, ']');
	jo_end(&o, '}');
	jo_c(&o, "eventCategory", "Management");
	jo_end(&o, '}');
}
