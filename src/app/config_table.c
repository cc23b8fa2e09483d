#include <stddef.h>

#include "app/config.h"
#include "registry/core.h"

/* clang-format off */
#define FIELD(f)     .offset = offsetof(struct config, f)
#define TOOLS        (COMMAND_CHECK | COMMAND_GC | COMMAND_SAVINGS | COMMAND_NEW_KEY | COMMAND_RE_ENCRYPT | COMMAND_LIFECYCLE | COMMAND_CONSOLE)
#define SECONDS(n)   ((uint64_t)(n) * 1000)
#define DAYS(n)      SECONDS((uint64_t)(n) * 86400)
#define BYTES_MAX    ((uint64_t)1 << 50)

/* The order is that of the help texts. */
const struct config_key config_keys[] = {
	{ "config", CONFIG_TEXT, FIELD(config), .arg = "FILE", .commands = COMMAND_SERVE | TOOLS, .group = "Server",
		.help = "Reads settings from FILE: lines 'key = value' with the names of these options, under [berth] or no heading; "
			"# and ; begin comments. Environment and command line win over it." },
	{ "data", CONFIG_TEXT, FIELD(data), .otherwise = "berth-data", .arg = "FOLDER", .commands = COMMAND_SERVE | TOOLS, .group = "Server",
		.help = "Where everything is kept: database, layers, credentials. Made if it does not exist. One server at a time owns it." },
	{ "listen", CONFIG_LIST, FIELD(listen), .otherwise = "127.0.0.1:5000", .arg = "ADDRESS:PORT", .commands = COMMAND_SERVE, .group = "Server",
		.help = "Address to serve on; may be given several times. IPv6 addresses stand in brackets, ':5000' means every address. "
			"Served by TLS if there is a certificate, unless it begins with http://." },
	{ "tls-cert", CONFIG_TEXT, FIELD(tls_cert), .arg = "FILE", .commands = COMMAND_SERVE, .group = "Server",
		.help = "Certificate chain, PEM. Reread, with the key, on SIGHUP." },
	{ "tls-key", CONFIG_TEXT, FIELD(tls_key), .arg = "FILE", .commands = COMMAND_SERVE, .group = "Server",
		.help = "Private key of the certificate, PEM." },
	{ "allow-plain-http", CONFIG_SWITCH, FIELD(allow_plain_http), .otherwise = "off", .commands = COMMAND_SERVE, .group = "Server",
		.help = "Serves plain HTTP beyond loopback too, as behind a proxy that ends TLS. Passwords then cross the network in the clear." },
	{ "oidc-ca", CONFIG_TEXT, FIELD(oidc_ca), .arg = "FILE", .commands = COMMAND_SERVE, .group = "Server",
		.help = "Certificates that the issuers of OIDC tokens are verified against when their keys are fetched, PEM. Default: the system's." },
	{ "no-auth", CONFIG_SWITCH, FIELD(no_auth), .otherwise = "off", .commands = COMMAND_SERVE, .group = "Server",
		.help = "Takes every caller for the account's root. For throw-away use; refused unless all addresses are loopback." },
	{ "grace", CONFIG_DURATION, FIELD(grace_ms), .otherwise = "30s", .max = DAYS(1), .arg = "TIME", .commands = COMMAND_SERVE, .group = "Server",
		.help = "How long running requests may go on after SIGTERM or SIGINT. A second signal ends the server at once." },
	{ "sandbox", CONFIG_CHOICE, FIELD(sandbox), .otherwise = "auto", .choices = "auto|require|off", .commands = COMMAND_SERVE, .group = "Server",
		.help = "Whether the server, once it has opened everything, gives up what it does not need: files (Landlock), system calls (seccomp), privileges. "
			"auto: as far as the kernel can, and the log says what is missing; require: all of it, or the server does not start." },

	{ "account", CONFIG_TEXT, FIELD(account), .arg = "DIGITS", .commands = COMMAND_SERVE, .group = "Registry",
		.help = "The account id, twelve digits, fixed at the first start. Default: made up then." },
	{ "region", CONFIG_TEXT, FIELD(region), .arg = "NAME", .commands = COMMAND_SERVE, .group = "Registry",
		.help = "The Region of clients that name none. Default: that of the last start, us-east-1 at the first." },
	{ "domain", CONFIG_TEXT, FIELD(domain), .arg = "NAME", .commands = COMMAND_SERVE, .group = "Registry",
		.help = "Gives registries host names: <account>.dkr.ecr.<region>.NAME. The names must resolve to this server." },
	{ "mount-policy", CONFIG_CHOICE, FIELD(mount_policy), .otherwise = "oci", .choices = "oci|ecr", .commands = COMMAND_SERVE, .group = "Registry",
		.help = "Which layers may be mounted from another repository: oci, all that it holds, also found without naming it; "
			"ecr, as ECR does, those that a manifest of it names." },
	{ "default-setting", CONFIG_LIST, FIELD(default_setting), .arg = "NAME=VALUE", .commands = COMMAND_SERVE, .group = "Registry",
		.help = "The value of an account setting in registries that never set it. BLOB_MOUNTING=ENABLED is the one that has an effect now." },
	{ "collect-grace", CONFIG_DURATION, FIELD(collect_grace_ms), .otherwise = "24h", .max = DAYS(3650), .arg = "TIME",
		.commands = COMMAND_SERVE | COMMAND_GC | COMMAND_LIFECYCLE, .group = "Registry",
		.help = "How long a layer that no image needs is kept before it is collected. Longer than the longest push takes." },
	{ "lifecycle-delay", CONFIG_DURATION, FIELD(lifecycle_delay_ms), .otherwise = "1h", .max = DAYS(1), .arg = "TIME",
		.commands = COMMAND_SERVE, .group = "Registry",
		.help = "How long after a change in a repository, or of its lifecycle policy, the policy is carried out. ECR promises a day." },
	{ "restore-delay", CONFIG_DURATION, FIELD(restore_delay_ms), .otherwise = "20m", .max = DAYS(1), .arg = "TIME",
		.commands = COMMAND_SERVE, .group = "Registry",
		.help = "How long an image is ACTIVATING when it is restored from the archive. ECR takes about 20 minutes." },
	{ "upload-life", CONFIG_DURATION, FIELD(upload_life_ms), .otherwise = "24h", .min = SECONDS(60), .max = DAYS(365), .arg = "TIME",
		.commands = COMMAND_SERVE | COMMAND_GC, .group = "Registry",
		.help = "How long an unfinished upload is kept after its last byte." },

	{ "encryption", CONFIG_CHOICE, FIELD(encryption), .otherwise = "berth", .choices = "berth|disk", .commands = COMMAND_SERVE | COMMAND_RE_ENCRYPT | COMMAND_CHECK,
		.group = "Encryption at rest", .help = "Who encrypts what is stored: berth, each repository's layers and manifests with keys of its encryption "
			"configuration; or disk, when the disk is encrypted already: layers are then stored as they are. What is there in the other form stays "
			"readable; 'berth re-encrypt' moves it." },
	{ "root-key", CONFIG_TEXT, FIELD(root_key), .arg = "FILE", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "The key that everything secret hangs on; 'systemd' takes the systemd credential root-key. Made at the first start. Without it the data "
			"cannot be read: keep a copy apart from it. Default: the file root-key in the data folder." },
	{ "credentials", CONFIG_TEXT, FIELD(credentials), .arg = "FILE", .commands = COMMAND_SERVE | COMMAND_NEW_KEY, .group = "Encryption at rest",
		.help = "Where the root's first access key is written, and by 'berth new-key' another one: in clear, for its reader to sign in with. "
			"Default: the file credentials in the data folder." },
	{ "pkcs11-module", CONFIG_TEXT, FIELD(pkcs11_module), .arg = "FILE", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "PKCS#11 library of an HSM that holds the key which opens the root key. The file of --root-key (default: root-key.wrapped in the data "
			"folder) is then of no use without the HSM." },
	{ "pkcs11-token", CONFIG_TEXT, FIELD(pkcs11_token), .arg = "LABEL", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "Label of the token in the HSM." },
	{ "pkcs11-pin-file", CONFIG_TEXT, FIELD(pkcs11_pin_file), .arg = "FILE", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "File with the token's PIN." },
	{ "pkcs11-key", CONFIG_TEXT, FIELD(pkcs11_key), .otherwise = "berth", .arg = "LABEL", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "Label of the AES key in the token; made at the first start." },
	{ "kms-endpoint", CONFIG_TEXT, FIELD(kms_endpoint), .arg = "URL", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "An external KMS that speaks AWS's protocol. Every key that a repository names is then looked up there; repositories of type KMS that "
			"name none use the key that Berth manages." },
	{ "kms-region", CONFIG_TEXT, FIELD(kms_region), .arg = "NAME", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "Region that requests to the external KMS are signed for. Default: us-east-1." },
	{ "kms-access-key", CONFIG_TEXT, FIELD(kms_access_key), .arg = "ID", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "Access key id for the external KMS." },
	{ "kms-secret-file", CONFIG_TEXT, FIELD(kms_secret_file), .arg = "FILE", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "File with the secret access key for the external KMS." },
	{ "kms-ca", CONFIG_TEXT, FIELD(kms_ca), .arg = "FILE", .commands = COMMAND_SERVE | TOOLS, .group = "Encryption at rest",
		.help = "Certificates that the external KMS is verified against, PEM. Default: the system's." },
	{ "kms-cache", CONFIG_DURATION, FIELD(kms_cache_ms), .otherwise = "60s", .min = SECONDS(1), .max = SECONDS(3600), .arg = "TIME",
		.commands = COMMAND_SERVE, .group = "Encryption at rest",
		.help = "How long a data key that the external KMS opened is remembered: so long a key that was disabled there still works." },

	{ "log-level", CONFIG_CHOICE, FIELD(log_level), .otherwise = "info", .choices = "debug|info|warn|error", .commands = COMMAND_SERVE,
		.group = "Logs and metrics", .help = "The least important lines to log. The log goes to standard error, a JSON object a line." },
	{ "access-log", CONFIG_SWITCH, FIELD(access_log), .otherwise = "on", .commands = COMMAND_SERVE, .group = "Logs and metrics",
		.help = "Logs a line for each request." },
	{ "metrics-open", CONFIG_SWITCH, FIELD(metrics_open), .otherwise = "off", .commands = COMMAND_SERVE, .group = "Logs and metrics",
		.help = "Answers /metrics to every client; otherwise only to clients on loopback. It never asks for credentials. "
			"/healthz and /readyz answer everybody." },
	{ "mount-log-keep", CONFIG_COUNT, FIELD(mount_log_keep), .otherwise = "100000", .min = 1, .max = 100000000, .arg = "ROWS", .commands = COMMAND_SERVE,
		.group = "Logs and metrics", .help = "How many rows of its mount log a registry keeps." },

	{ "audit", CONFIG_TEXT, FIELD(audit), .otherwise = "off", .arg = "FILE", .commands = COMMAND_SERVE, .group = "Audit and events",
		.help = "Writes a record of who did what, shaped as CloudTrail's, to FILE, a JSON object a line; 'stdout' writes them to standard output, 'off' "
			"none. SIGHUP opens the file anew." },
	{ "audit-max-size", CONFIG_BYTES, FIELD(audit_max_size), .otherwise = "100MiB", .min = 64 * KIB, .max = BYTES_MAX, .arg = "SIZE",
		.commands = COMMAND_SERVE, .group = "Audit and events",
		.help = "The audit file is renamed to FILE.1, FILE.1 to FILE.2 and so on, before it grows beyond this." },
	{ "audit-keep", CONFIG_COUNT, FIELD(audit_keep), .otherwise = "10", .max = 10000, .arg = "N", .commands = COMMAND_SERVE, .group = "Audit and events",
		.help = "How many renamed audit files are kept; the oldest is removed." },
	{ "audit-data-plane", CONFIG_SWITCH, FIELD(audit_data_plane), .otherwise = "on", .commands = COMMAND_SERVE, .group = "Audit and events",
		.help = "Records pushes, pulls and mounts under /v2/ too, not only calls of the API." },
	{ "event-webhook", CONFIG_LIST, FIELD(event_webhook), .arg = "URL", .commands = COMMAND_SERVE, .group = "Audit and events",
		.help = "Posts an event, shaped as ECR's in EventBridge, to URL for each image that is pushed, deleted, archived or restored; may be given several "
			"times. URL|repository=PATTERN sends those of some repositories, such as team-a/*; |type=image or |type=referrer those of one kind." },
	{ "event-webhook-secret-file", CONFIG_TEXT, FIELD(event_webhook_secret_file), .arg = "FILE", .commands = COMMAND_SERVE, .group = "Audit and events",
		.help = "File with the secret that events are signed with: header Berth-Signature, t=<time>,v1=<HMAC-SHA256 of time.body>." },
	{ "event-webhook-ca", CONFIG_TEXT, FIELD(event_webhook_ca), .arg = "FILE", .commands = COMMAND_SERVE, .group = "Audit and events",
		.help = "Certificates that webhooks are verified against, PEM. Default: the system's." },
	{ "event-timeout", CONFIG_DURATION, FIELD(event_timeout_ms), .otherwise = "10s", .min = SECONDS(1), .max = SECONDS(300), .arg = "TIME",
		.commands = COMMAND_SERVE, .group = "Audit and events", .help = "How long a webhook may take to answer." },
	{ "event-max-age", CONFIG_DURATION, FIELD(event_max_age_ms), .otherwise = "24h", .min = SECONDS(1), .max = DAYS(30), .arg = "TIME",
		.commands = COMMAND_SERVE, .group = "Audit and events",
		.help = "How long an event that a webhook does not take is tried again before it is given up." },

	{ "layer-max", CONFIG_BYTES, FIELD(layer_max), .otherwise = "52000MiB", .min = 1, .max = BYTES_MAX, .arg = "SIZE", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "The largest layer that is taken. The default is ECR's quota." },
	{ "inline-max", CONFIG_BYTES, FIELD(inline_max), .otherwise = "16KiB", .max = SMALL_OBJECT_MAX, .arg = "SIZE", .commands = COMMAND_SERVE | COMMAND_RE_ENCRYPT,
		.group = "Limits", .help = "Layers and configurations up to this size, as they are stored, are kept in the database and have no file." },
	{ "layer-parts-max", CONFIG_COUNT, FIELD(layer_parts_max), .otherwise = "4200", .min = 1, .max = 1000000000, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Parts of one layer that is uploaded by the ECR API. The default is ECR's quota." },
	{ "repositories-max", CONFIG_COUNT, FIELD(repositories_max), .otherwise = "100000", .min = 1, .max = 1000000000, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Repositories in one registry. The default is ECR's quota, here and in the next two." },
	{ "images-max", CONFIG_COUNT, FIELD(images_max), .otherwise = "100000", .min = 1, .max = 1000000000, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Images in one repository." },
	{ "image-tags-max", CONFIG_COUNT, FIELD(image_tags_max), .otherwise = "1000", .min = 1, .max = 1000000, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Tags of one image." },
	{ "throttle", CONFIG_CHOICE, FIELD(throttle), .otherwise = "off", .choices = "off|ecr", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "How often each action may be asked of a registry: off, without limits; ecr, at most as often as ECR's default quotas "
			"allow. What is too much is answered with ThrottlingException, or 429 and Retry-After." },
	{ "rate", CONFIG_LIST, FIELD(rate), .arg = "ACTION=N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Calls a second of one action, such as PutImage=50, in each registry, in place of what --throttle says; 0: no limit. "
			"May be given several times. Requests of docker and its like count for the actions they stand for." },
	{ "uploads-max", CONFIG_COUNT, FIELD(uploads_max), .otherwise = "10000", .min = 1, .max = 10000000, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Unfinished uploads in one registry." },
	{ "min-free", CONFIG_BYTES, FIELD(min_free), .otherwise = "64MiB", .max = BYTES_MAX, .arg = "SIZE", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Space that uploads leave free on the file system, so that metadata and deletions still have room. /readyz fails below it." },
	{ "connections-max", CONFIG_COUNT, FIELD(connections_max), .otherwise = "10000", .min = 1, .max = 1000000, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Connections in all, at most as many as leave files that the server needs itself, and a quarter of the others, or 4,096, for layers. When one more comes, "
			"some of those that wait longest for a request are closed." },
	{ "connections-per-ip", CONFIG_COUNT, FIELD(connections_per_ip), .otherwise = "0", .max = 1000000, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Connections from one address; 0: no limit." },
	{ "header-max", CONFIG_BYTES, FIELD(header_max), .otherwise = "32KiB", .min = 8 * KIB, .max = 1 * MIB, .arg = "SIZE", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Memory of a connection, which bounds the header section." },
	{ "bodies-max", CONFIG_BYTES, FIELD(bodies_max), .otherwise = "128MiB", .min = 8 * MIB, .max = BYTES_MAX, .arg = "SIZE", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Memory for request bodies that are read whole (manifests, API calls; never layers), over all requests, and "
			"as much for long answers that clients have not read. Near it slow clients are cut off; beyond it clients are told to try again." },
	{ "header-timeout", CONFIG_DURATION, FIELD(header_timeout_ms), .otherwise = "30s", .min = SECONDS(1), .max = SECONDS(3600), .arg = "TIME", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "How long a client may take to send the headers of a request." },
	{ "idle-timeout", CONFIG_DURATION, FIELD(idle_timeout_ms), .otherwise = "60s", .min = SECONDS(1), .max = DAYS(1), .arg = "TIME", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "How long a connection may be idle between requests, or without progress in one." },
	{ "min-rate", CONFIG_BYTES, FIELD(min_rate), .otherwise = "1KiB", .max = (uint64_t)1 << 40, .arg = "SIZE", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Bytes a second below which, over 30 seconds, a body or an answer is cut off; 0: never." },
	{ "loops", CONFIG_COUNT, FIELD(loops), .otherwise = "0", .max = 1024, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Event loops an address; 0: one a processor." },
	{ "workers", CONFIG_COUNT, FIELD(workers), .otherwise = "64", .min = 1, .max = 4096, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Threads for work that waits for disk or commit; started when needed." },
	{ "db-readers", CONFIG_COUNT, FIELD(db_readers), .otherwise = "4", .min = 1, .max = 256, .arg = "N", .commands = COMMAND_SERVE,
		.group = "Limits", .help = "Read connections to the database." },

	{ "deep", CONFIG_SWITCH, FIELD(deep), .otherwise = "off", .commands = COMMAND_CHECK, .only_cli = true, .group = "This command",
		.help = "Reads every layer and manifest again and compares its digest." },
	{ "json", CONFIG_SWITCH, FIELD(json), .otherwise = "off", .commands = COMMAND_CHECK | COMMAND_GC | COMMAND_SAVINGS | COMMAND_LIFECYCLE, .only_cli = true, .group = "This command",
		.help = "Prints one JSON object, with exact bytes, in place of text." },
	{ "repository", CONFIG_TEXT, FIELD(repository), .arg = "NAME", .commands = COMMAND_LIFECYCLE, .only_cli = true, .group = "This command",
		.help = "Only the repository of this name, in every registry that has one. Default: all that have a policy." },
	{ "ahead", CONFIG_DURATION, FIELD(ahead_ms), .otherwise = "0s", .max = DAYS(3650), .arg = "TIME", .commands = COMMAND_LIFECYCLE, .only_cli = true,
		.group = "This command", .help = "Acts as if so much time had passed, such as 90d: what would only then be due goes now." },
	{ "format", CONFIG_CHOICE, FIELD(format), .otherwise = "text", .choices = "text|ini|mdoc|markdown", .commands = COMMAND_CONFIG, .only_cli = true, .group = "This command",
		.help = "text: for reading; ini: a configuration file in which every key is commented out; mdoc and markdown: the same reference for a manual." },
	{ "list", CONFIG_TEXT, FIELD(list), .arg = "COMMAND", .commands = COMMAND_CONFIG, .only_cli = true, .group = "This command",
		.help = "Prints only the options that COMMAND takes, one a line: for shell completion." },
	{ .name = NULL },
};
