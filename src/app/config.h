/*
 * config.h - what the operator has set: one table of keys, four sources.
 *
 * Sources, the later ones win: built-in defaults, the --config file (INI, through inih), BERTH_*
 * variables of the environment, the command line. Every source knows the same keys; an unknown one,
 * in any source, stops the start. The table also renders the help texts, the man page, the sample
 * file and the completions (config_help.h), so that they cannot say anything else.
 *
 * Threads: one caller; read-only after config_load.
 */
#ifndef BERTH_APP_CONFIG_H
#define BERTH_APP_CONFIG_H

#include "base/err.h"
#include "base/str.h"

/* The subcommands, as bits, because a key may serve several. */
enum config_command {
	COMMAND_SERVE = 1,
	COMMAND_CHECK = 2,
	COMMAND_GC = 4,
	COMMAND_SAVINGS = 8,
	COMMAND_NEW_KEY = 16,
	COMMAND_CONFIG = 32,
	COMMAND_RE_ENCRYPT = 64,
	COMMAND_LIFECYCLE = 128,
	COMMAND_CONSOLE = 256,
};

enum config_type {
	CONFIG_TEXT,     /* char * */
	CONFIG_LIST,     /* struct config_list */
	CONFIG_SWITCH,   /* bool */
	CONFIG_BYTES,    /* uint64_t */
	CONFIG_DURATION, /* int64_t, milliseconds */
	CONFIG_COUNT,    /* unsigned */
	CONFIG_CHOICE,   /* unsigned: index into choices */
};

struct config_key {
	const char *name; /* "tls-cert": --tls-cert, BERTH_TLS_CERT, tls-cert = ... */
	enum config_type type;
	size_t offset;         /* of its field in struct config */
	const char *otherwise; /* the default, in the notation of the sources; NULL: unset */
	uint64_t min, max;     /* of BYTES, DURATION (milliseconds) and COUNT */
	const char *choices;   /* of CHOICE: "oci|ecr" */
	const char *arg;       /* how help calls the value: "FILE" */
	unsigned commands;     /* which of enum config_command take it on their command line */
	bool only_cli;         /* an option of one run, which file and environment do not know */
	const char *group;     /* the heading it stands under in help */
	const char *help;      /* one paragraph, plain text */
};

/* Ends with a key whose name is NULL. */
extern const struct config_key config_keys[];
#define CONFIG_KEYS_MAX 96

struct config_list {
	char **items;
	size_t count;
};

enum config_source { SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT, SOURCE_COMMAND_LINE };

struct config_origin {
	enum config_source source;
	unsigned line; /* of the file */
};

enum { MOUNT_CHOICE_OCI, MOUNT_CHOICE_ECR };

enum { ENCRYPTION_BERTH, ENCRYPTION_DISK };

enum { SANDBOX_AUTO, SANDBOX_REQUIRE, SANDBOX_OFF };

enum { THROTTLE_CHOICE_OFF, THROTTLE_CHOICE_ECR };

enum { FORMAT_TEXT, FORMAT_INI, FORMAT_MDOC, FORMAT_MARKDOWN };

struct config {
	/* the server */
	char *config, *data;
	struct config_list listen;
	char *tls_cert, *tls_key, *oidc_ca;
	bool allow_plain_http, no_auth;
	int64_t grace_ms;
	unsigned sandbox;
	/* the registry */
	char *account, *region, *domain;
	unsigned mount_policy, encryption;
	struct config_list default_setting;
	int64_t collect_grace_ms, upload_life_ms;
	int64_t lifecycle_delay_ms, restore_delay_ms;
	/* encryption at rest */
	char *root_key;
	char *credentials;
	char *pkcs11_module, *pkcs11_token, *pkcs11_pin_file, *pkcs11_key;
	char *kms_endpoint, *kms_region, *kms_access_key, *kms_secret_file, *kms_ca;
	int64_t kms_cache_ms;
	/* logs and metrics */
	unsigned log_level;
	bool access_log, metrics_open, audit_data_plane;
	unsigned mount_log_keep, audit_keep;
	/* audit and events */
	char *audit;
	uint64_t audit_max_size;
	struct config_list event_webhook;
	char *event_webhook_secret_file, *event_webhook_ca;
	int64_t event_timeout_ms, event_max_age_ms;
	/* limits */
	struct config_list rate;
	unsigned throttle, layer_parts_max, repositories_max, images_max, image_tags_max;
	uint64_t layer_max, inline_max, min_free, bodies_max, header_max, min_rate;
	unsigned uploads_max, connections_max, connections_per_ip;
	int64_t header_timeout_ms, idle_timeout_ms;
	unsigned loops, workers, db_readers;
	/* options of single commands */
	bool deep, json;
	unsigned format;
	char *list;
	char *repository;
	int64_t ahead_ms;
	/* where each key of the table got its value */
	struct config_origin origin[CONFIG_KEYS_MAX];
};

struct config_input {
	enum config_command command;
	const char *const *args; /* behind the subcommand's name */
	size_t arg_count;
	char *const *environment; /* NAME=VALUE, ended by NULL; may be NULL */
};

/*
 * Reads all sources. On failure *out needs no config_fini.
 * Errors: CONFIG, with one line that names source, key and what is wrong ("BERTH_LISTN: unknown
 * setting; did you mean BERTH_LISTEN?").
 */
MUST_CHECK bool config_load(const struct config_input *in, struct config *out, struct err *err);
void config_fini(struct config *c);
/* Makes the message one line, for it may quote what was set: control characters become '?'. */
void config_one_line(struct err *err);

/* The key whose field lies at offset; aborts when there is none. Usage:
 * config_key_at(offsetof(...)) */
const struct config_key *config_key_at(size_t offset);
/* The key of that name, or NULL. */
const struct config_key *config_key_find(struct str name);
/* Whether somebody set it, rather than the default. */
bool config_is_set(const struct config *c, const struct config_key *key);
/* Where its value comes from, for messages: "--listen", "BERTH_LISTEN", "berth.conf line 3:
 * listen". */
#define CONFIG_WHERE_MAX 640
const char *config_where(
	const struct config *c, const struct config_key *key, char out[CONFIG_WHERE_MAX]);
/* "BERTH_TLS_CERT" for tls-cert. */
#define CONFIG_VARIABLE_MAX 64
const char *config_variable(const struct config_key *key, char out[CONFIG_VARIABLE_MAX]);

#endif
