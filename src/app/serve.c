#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "app/access_log.h"
#include "app/audit.h"
#include "app/banner.h"
#include "app/command.h"
#include "app/descriptors.h"
#include "app/events.h"
#include "app/fronts.h"
#include "app/identity.h"
#include "app/jobs.h"
#include "app/notify.h"
#include "app/ops.h"
#include "app/rules.h"
#include "app/sandbox.h"
#include "app/stack.h"
#include "app/status.h"
#include "auth/auth.h"
#include "base/clock.h"
#include "front/resource_policies.h"
#include "front/throttle.h"
#include "registry/lifecycle_told.h"

#define BANNER_MAX (16 * KIB)

/* Everything a running server has, in the order in which it is opened. */
struct server {
	const struct config *config;
	struct rules rules;
	struct log *log;
	struct folder folder;
	char blobs[PATH_MAX];
	struct stack stack;
	struct identity identity;
	struct throttle *throttle;
	struct resource_policies *policies;
	struct auth *auth;
	struct metrics *metrics;
	struct ops ops;
	struct front_status status;
	struct fronts fronts;
	struct http_server *http;
	struct jobs *jobs;
	struct events *events;
	struct audit *audit;
	struct sandbox sandbox;
};

static void request_done(void *arg, const struct http_req *req, int64_t duration_us)
{
	struct server *s = arg;
	metrics_count(s->metrics, req, duration_us);
	audit_request(s->audit, req);
	if (!s->config->access_log)
		return;
	struct buf line CLEANUP(buf_fini);
	buf_init(&line, ACCESS_LOG_MAX);
	struct access access = {
		.user_agent = http_header(req, "User-Agent"),
		.duration_us = duration_us,
		.now_ms = clock_now_ms(),
	};
	access_log_render(&line, req, &access);
	if (buf_ok(&line))
		log_line(s->log, buf_str(&line));
}

static unsigned seconds(int64_t ms)
{
	return (unsigned)((ms + 999) / 1000);
}

/* Everything is open and bound, and nothing from outside has been looked at yet. */
static bool enter_sandbox(void *arg, struct err *err)
{
	struct server *s = arg;
	return sandbox_enter(s->config, &s->folder, s->log, &s->sandbox, err);
}

/* Connections that leave descriptors for files: a flood of connections must not stop the pulls and
 * pushes of those who are connected. */
static bool connections_max(const struct server *s, unsigned *out, struct err *err)
{
	unsigned wanted = s->config->connections_max;
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) {
		*out = wanted;
		return true;
	}
	uint64_t own = descriptors_own(s->config, descriptors_open());
	if (!descriptors_share(files.rlim_cur, own, wanted, out, err))
		return false;
	if (*out < wanted)
		log_event(s->log, LOG_WARN, "start",
			"connections-max is %u: the limit of open files is %llu", *out,
			(unsigned long long)files.rlim_cur);
	return true;
}

static bool open_http(struct server *s, struct err *err)
{
	const struct config *c = s->config;
	struct http_listen listen[LISTEN_MAX];
	unsigned connections = 0;
	if (!connections_max(s, &connections, err))
		return false;
	for (size_t i = 0; i < s->rules.listen_count; i++)
		listen[i] = (struct http_listen){
			.address = s->rules.listen[i].address,
			.tls = s->rules.listen[i].tls,
		};
	struct http_options o = {
		.listen = listen,
		.listen_count = s->rules.listen_count,
		.tls_cert = c->tls_cert,
		.tls_key = c->tls_key,
		.fronts = s->fronts.items,
		.front_count = s->fronts.count,
		.done = request_done,
		.done_arg = s,
		.bound = enter_sandbox,
		.bound_arg = s,
		.log = s->log,
		.loops = c->loops,
		.workers_max = c->workers,
		.connections_max = connections,
		.connections_per_ip_max = c->connections_per_ip,
		.header_max_bytes = (size_t)c->header_max,
		.whole_bodies_max_bytes = (size_t)c->bodies_max,
		.header_timeout_s = seconds(c->header_timeout_ms),
		.idle_timeout_s = seconds(c->idle_timeout_ms),
		.min_rate_bytes_s = c->min_rate == 0 ? UINT64_MAX : c->min_rate,
	};
	if (!http_server_start(&o, &s->http, err))
		return false;
	atomic_store(&s->ops.server, s->http);
	return true;
}

static bool open_auth(struct server *s, struct err *err)
{
	if (!identity_load(s->stack.db, s->config, &s->identity, err))
		return false;
	s->policies = resource_policies_new(s->stack.core);
	struct auth_options o = {
		.resource_policies = resource_policies_source(s->policies),
		.db = s->stack.db,
		.secrets_key = &s->stack.keys.secrets,
		.no_auth = s->config->no_auth,
		.account = s->identity.account,
		.region = s->identity.region,
		.oidc_ca_file = s->config->oidc_ca,
	};
	return auth_open(&o, &s->auth, err) &&
	       identity_ensure_key(s->stack.db, s->auth, s->config, &s->folder, &s->identity, err);
}

static bool open_events(struct server *s, struct err *err)
{
	const struct webhooks *w = &s->rules.webhooks;
	uint64_t dropped = 0;
	if (!event_configure(s->stack.core, w->items, w->count, &dropped, err) ||
		!events_start(s->stack.core, s->config, w, s->log, &s->events, err))
		return false;
	s->ops.events = s->events;
	if (!audit_open(s->config, s->identity.account, s->identity.region, s->log, &s->audit, err))
		return false;
	s->ops.audit = s->audit;
	if (s->audit != NULL)
		lifecycle_listen(s->stack.core, audit_lifecycle, s->audit);
	if (dropped != 0)
		log_event(s->log, LOG_WARN, "events",
			"%llu events for webhooks that are not configured any more were given up",
			(unsigned long long)dropped);
	return true;
}

static bool server_open(struct server *s, struct err *err)
{
	const struct config *c = s->config;
	if (!log_open(2, (enum log_level)c->log_level, &s->log, err) ||
		!folder_take(c, &s->folder, err) ||
		!folder_path(&s->folder, "blobs", s->blobs, err) ||
		!stack_open(c, &s->folder, s->rules.mounting_by_default, false, &s->stack, err) ||
		!open_auth(s, err))
		return false;
	s->throttle = rules_throttle(c);
	s->metrics = metrics_new();
	s->ops.stack = &s->stack;
	s->ops.metrics = s->metrics;
	s->ops.sandbox = &s->sandbox;
	s->ops.blobs = s->blobs;
	s->ops.min_free = c->min_free;
	s->ops.metrics_open = c->metrics_open;
	if (!open_events(s, err))
		return false;
	struct front_options front = {
		.auth = s->auth,
		.throttle = s->throttle,
		.policies = s->policies,
		.core = s->stack.core,
		.domain = c->domain,
		.account = s->identity.account,
		.region = s->identity.region,
		.audits = s->audit != NULL,
		.audits_data_plane = s->audit != NULL && c->audit_data_plane,
		.log = s->log,
		.status = &s->status,
	};
	s->status = status_source(&s->ops);
	fronts_init(&s->fronts, &s->ops, &front, s->stack.keys.kms);
	int64_t keep_ms =
		c->collect_grace_ms > c->upload_life_ms ? c->collect_grace_ms : c->upload_life_ms;
	return jobs_start(s->stack.core, s->stack.keys.kms, s->log, keep_ms, &s->jobs, err) &&
	       open_http(s, err);
}

/* Requests first, then the jobs, then what both stand on. */
static void server_close(struct server *s)
{
	atomic_store(&s->ops.is_stopping, true);
	http_server_stop(s->http, (unsigned)s->config->grace_ms);
	jobs_stop(s->jobs);
	events_stop(s->events);
	audit_close(s->audit);
	auth_close(s->auth);
	resource_policies_free(s->policies);
	stack_close(&s->stack);
	throttle_free(s->throttle);
	metrics_free(s->metrics);
	sandbox_close(&s->sandbox);
	folder_close(&s->folder);
	log_close(s->log);
}

/* For `berth console`. */
static void note_url(const struct server *s)
{
	char url[LISTEN_URL_MAX];
	struct err err;
	listen_url(&s->rules.listen[0], http_server_port(s->http, 0), url);
	if (!identity_note_url(s->stack.db, url, &err))
		log_err(s->log, LOG_WARN, "start", &err);
}

static void print_banner(const struct server *s, int64_t began_us)
{
	struct buf text CLEANUP(buf_fini);
	char urls[LISTEN_MAX][LISTEN_URL_MAX];
	buf_init(&text, BANNER_MAX);
	for (size_t i = 0; i < s->rules.listen_count; i++)
		listen_url(&s->rules.listen[i], http_server_port(s->http, i), urls[i]);
	struct banner b = {
		.identity = &s->identity,
		.data = s->folder.path,
		.urls = (const char(*)[LISTEN_URL_MAX])urls,
		.url_count = s->rules.listen_count,
		.no_auth = s->config->no_auth,
		.ready_ms = (clock_mono_us() - began_us) / 1000,
	};
	banner_render(&text, &b);
	(void)fputs(buf_c(&text), stdout);
	(void)fflush(stdout);
	log_event(s->log, LOG_INFO, "start", "berth %s serves %s, account %s, data %s in %lld ms",
		BERTH_VERSION, urls[0], s->identity.account, s->folder.path, (long long)b.ready_ms);
}

/* SIGTERM, SIGINT and SIGHUP wait for run_until_stopped, in every thread started from now on. */
static void hold_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void reload(struct server *s)
{
	struct err err;
	audit_reopen(s->audit);
	if (s->config->tls_cert == NULL) {
		log_event(s->log, LOG_INFO, "reload", "there is no certificate to reread");
		return;
	}
	notify_reloading();
	if (http_server_reload_tls(s->http, &err))
		log_event(s->log, LOG_INFO, "reload", "%s and its key were reread",
			s->config->tls_cert);
	else
		log_err(s->log, LOG_WARN, "reload", &err);
	notify_ready();
}

static void run_until_stopped(struct server *s, const sigset_t *set)
{
	int sig = 0;
	while (sig != SIGTERM && sig != SIGINT) {
		if (sigwait(set, &sig) == 0 && sig == SIGHUP)
			reload(s);
	}
	log_event(s->log, LOG_INFO, "stop", "signal %d: finishing requests", sig);
	notify_stopping();
	/* A second signal ends the process at once, which loses nothing that was acknowledged. */
	sigset_t again = *set;
	sigdelset(&again, SIGHUP);
	pthread_sigmask(SIG_UNBLOCK, &again, NULL);
}

/* What is made is for the server's user alone, and every connection is a descriptor. */
static void prepare_process(void)
{
	struct rlimit files;
	umask(077);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

enum exit_status serve_run(const struct config *c)
{
	int64_t began_us = clock_mono_us();
	struct server s = {
		.config = c, .folder = { .lock_fd = -1 }, .sandbox = { .proc_fd = -1 }
	};
	struct err err;
	sigset_t signals;
	if (!rules_check(c, &s.rules, &err))
		return command_fail(&err, EXIT_USAGE);
	prepare_process();
	hold_signals(&signals);
	if (!server_open(&s, &err)) {
		server_close(&s);
		return command_fail(&err, EXIT_FAILED);
	}
	note_url(&s);
	print_banner(&s, began_us);
	notify_ready();
	run_until_stopped(&s, &signals);
	server_close(&s);
	return EXIT_OK;
}
