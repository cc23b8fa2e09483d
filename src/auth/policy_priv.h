/* policy_priv.h - the compiled form of policies, shared by the policy_*.c files. */
#ifndef BERTH_AUTH_POLICY_PRIV_H
#define BERTH_AUTH_POLICY_PRIV_H

#include "auth/policy.h"
#include "base/arena.h"

/*
 * Patterns. Text from JSON is UTF-8, in which the bytes FF and FE never occur: compiled, they stand
 * for the wildcards.
 */
#define PATTERN_RUN '\xff' /* '*' */
#define PATTERN_ONE '\xfe' /* '?' */

/* Longest text that a pattern with variables may grow to; what is longer matches nothing. */
#define PATTERN_EXPANDED_MAX 2048

/* A piece of a pattern with variables: what stands before the variable, and the variable. */
struct pattern_part {
	struct str text;
	struct str key;       /* lower case; empty after the last variable */
	struct str otherwise; /* ptr NULL: none */
};

struct pattern {
	struct str text;                  /* when part_count is 0 */
	const struct pattern_part *parts; /* when it has variables */
	size_t part_count;
	bool has_wildcards;
};

enum pattern_syntax {
	PATTERN_WILDCARDS = 1, /* '*' and '?' are wildcards */
	PATTERN_VARIABLES = 2, /* ${...} is replaced */
	PATTERN_LOWER = 4,     /* folded to lower case (ASCII) */
};

char pattern_lower(char c); /* ASCII */
/* False when a variable is malformed or (out_full) the arena is full. */
bool pattern_compile(struct arena *arena, struct str text, unsigned syntax, struct pattern *out);
/* The pattern's text for this request; buffer holds PATTERN_EXPANDED_MAX. False: a variable has no
 * value, or the text grows too long. */
bool pattern_expand(const struct pattern *p, const struct policy_request *request, char *buffer,
	struct str *out);
/* Compiled text against plain text. */
bool pattern_glob(struct str pattern, struct str text);
/* Field by field, as Arn operators compare. */
bool pattern_glob_arn(struct str pattern, struct str text);
/* How often c stands in the pattern, variables not counted. */
size_t pattern_count(const struct pattern *p, char c);
bool pattern_reads(const struct pattern *p, struct str prefix);

/* Values of typed operators. */
struct ip_net {
	uint8_t address[16]; /* IPv4 in the first four, masked */
	uint8_t bits;
	bool is_v6;
};

bool value_number(struct str s, double *out);
bool value_date(struct str s, int64_t *out_ms);
bool value_bool(struct str s, bool *out);
bool value_net(struct str s, struct ip_net *out); /* with or without prefix length */
bool value_net_holds(const struct ip_net *net, const struct ip_net *address);

/* Conditions. */
enum condition_type {
	CONDITION_STRING,
	CONDITION_STRING_NOCASE,
	CONDITION_LIKE,
	CONDITION_NUMERIC,
	CONDITION_DATE,
	CONDITION_BOOL,
	CONDITION_BINARY,
	CONDITION_IP,
	CONDITION_ARN,
	CONDITION_NULL,
};

enum condition_order { ORDER_EQUAL, ORDER_LESS, ORDER_LESS_EQUAL, ORDER_MORE, ORDER_MORE_EQUAL };

enum condition_over { OVER_ONE, OVER_ALL, OVER_ANY };

struct condition_operator {
	enum condition_type type;
	enum condition_order order; /* of numbers and dates */
	enum condition_over over;
	bool is_negated, if_exists;
};

union condition_value {
	struct pattern text;
	struct ip_net net;
	double number;
	int64_t date_ms;
	bool flag;
};

struct condition {
	struct condition_operator op;
	struct str key; /* lower case */
	const union condition_value *values;
	size_t value_count;
};

/* "ForAnyValue:StringLikeIfExists" and the like; false: there is none of that name. */
bool operator_parse(struct str name, struct condition_operator *out);
/* One value of the policy. False: it is no value for that operator (or the arena is full). */
bool condition_value_parse(struct arena *arena, const struct condition_operator *op,
	struct str text, bool variables, union condition_value *out);
/* Whether its values are patterns. */
bool condition_has_text(const struct condition *c);
bool condition_holds(const struct condition *c, const struct policy_request *request);

/* The request's key of that lower-case name, or NULL when it is missing or has no value. */
const struct policy_key *request_key(const struct policy_request *request, struct str name);

/* Principals. */
struct principals {
	bool is_present, is_negated; /* negated: NotPrincipal */
	bool has_everyone;           /* "*" */
	struct str *accounts, *arns, *services, *federated, *canonical;
	size_t account_count, arn_count, service_count, federated_count, canonical_count;
};

/* How closely a statement names the caller. */
enum principal_match {
	PRINCIPAL_NONE,
	PRINCIPAL_ACCOUNT, /* the whole account */
	PRINCIPAL_ISSUER,  /* the session's role or user */
	PRINCIPAL_DIRECT,  /* the user, session, service..., or everyone */
};

enum principal_match principals_match(const struct principals *p, bool is_deny,
	const struct policy_caller *caller, bool has_boundary);
/* Sorts an AWS member into account (twelve digits, root ARN) or ARN. False: it is neither. */
bool principal_parse(struct str value, bool *is_account, struct str *out);

/* Statements. */
struct statement {
	bool is_deny;
	bool not_action, not_resource;
	const struct pattern *actions, *resources; /* resources NULL: any */
	size_t action_count, resource_count;
	struct principals principals;
	const struct condition *conditions;
	size_t condition_count;
};

struct policy {
	enum policy_kind kind;
	struct arena *arena; /* holds all that follows */
	const struct statement *statements;
	size_t statement_count;
};

/* What is wrong with a document, by the order in which IAM looks (the first is told). */
enum fault_rank {
	FAULT_SYNTAX,
	FAULT_VERSION,
	FAULT_LEGACY,
	FAULT_SID,
	FAULT_NO_ACTION,
	FAULT_RESOURCE,
	FAULT_ACTION,
	FAULT_REST,
	FAULT_NONE,
};

struct fault {
	enum fault_rank rank;
	char text[512];
};

/* Notes a fault unless one of the same or an earlier rank is known; returns false. */
bool fault_note(struct fault *f, enum fault_rank rank, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The formats of Action and Resource (policy_check.c). */
void check_action(struct fault *f, struct str action);
void check_trust_action(struct fault *f, struct str action);
void check_resource(struct fault *f, struct str resource);
void check_sid(struct fault *f, struct str sid);
bool check_is_partition(struct str s);

#endif
