/* The grammar of policies and the sentences for what breaks it. */
#include "../unit.h"
#include "auth/managed_policies.h"
#include "auth/policy.h"

#define SYNTAX      "Syntax errors in policy."
#define LEGACY      "The policy failed legacy parsing"
#define VERSION     "Policy document must be version 2012-10-17 or greater."
#define NO_ACTION   "Policy statement must contain actions."
#define NO_RESOURCE "Policy statement must contain resources."
#define VENDOR      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
#define REPOSITORY                                                                  \
	"Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid " \
	"repository policy provided'"
#define REGISTRY                                                                    \
	"Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid " \
	"registry policy provided'"
#define IAM_PATH                                                                               \
	"IAM resource path must either be \"*\" or start with user/, federated-user/, role/, " \
	"group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, "            \
	"saml-provider/, oidc-provider/, report/, access-report/."

struct row {
	const char *text;  /* ' for " */
	const char *error; /* NULL: compiles */
};

static void quote(const char *text, char *out, size_t cap)
{
	size_t i = 0;
	for (; text[i] != '\0' && i + 1 < cap; i++)
		out[i] = text[i];
	assert_true(text[i] == '\0');
	out[i] = '\0';
	for (i = 0; out[i] != '\0'; i++) {
		if (out[i] == '\'')
			out[i] = '"';
		else if (out[i] == '`')
			out[i] = '\'';
	}
}

static void check(enum policy_kind kind, const struct row *rows, size_t count)
{
	char text[2048];
	for (size_t i = 0; i < count; i++) {
		struct policy *p = NULL;
		struct err err;
		quote(rows[i].text, text, sizeof(text));
		bool done = policy_compile(str_from(text), kind, &p, &err);
		policy_free(p);
		if (rows[i].error == NULL && !done)
			fail_msg("%s: %s (%s)", rows[i].text, err_text(&err), err.detail);
		if (rows[i].error == NULL)
			continue;
		if (done)
			fail_msg("%s compiles, but: %s", rows[i].text, rows[i].error);
		assert_int_equal(err.kind, ERR_INVALID);
		if (strcmp(err.msg, rows[i].error) != 0)
			fail_msg(
				"%s\n gives: %s\nwanted: %s", rows[i].text, err.msg, rows[i].error);
	}
}

#define CHECK(kind, rows) check(kind, rows, ARRAY_LEN(rows))

#define DOC(statement)    "{'Version':'2012-10-17','Statement':" statement "}"
#define ST(more)          DOC("{'Effect':'Allow'," more "}")
#define AR                "'Action':'ecr:PutImage','Resource':'*'"

static void documents(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ST(AR), NULL },
		{ DOC("[{'Effect':'Allow'," AR "}]"), NULL },
		{ DOC("[{'Effect':'Allow'," AR "},{'Effect':'Deny'," AR "}]"), NULL },
		{ "{'Id':'x','Version':'2012-10-17','Statement':[{'Effect':'Allow'," AR "}]}",
			NULL },
		{ "", SYNTAX },
		{ "This is not a document", SYNTAX },
		{ "null", SYNTAX },
		{ "[]", SYNTAX },
		{ "'text'", SYNTAX },
		{ "{}", SYNTAX },
		{ "{'Version':'2012-10-17'}", SYNTAX },
		{ DOC("[]"), SYNTAX },
		{ DOC("'x'"), SYNTAX },
		{ DOC("['x']"), SYNTAX },
		{ DOC("[[]]"), SYNTAX },
		{ DOC("null"), SYNTAX },
		{ DOC("{}"), SYNTAX },
		{ "{'Version':'2012-10-17','Statement':{'Effect':'Allow'," AR "},'More':1}",
			SYNTAX },
		{ "{'version':'2012-10-17','Statement':{'Effect':'Allow'," AR "}}", SYNTAX },
		{ "{'Version':'2013-10-17','Statement':{'Effect':'Allow'," AR "}}", SYNTAX },
		{ "{'Version':20121017,'Statement':{'Effect':'Allow'," AR "}}", SYNTAX },
		{ "{'Version':null,'Statement':{'Effect':'Allow'," AR "}}", SYNTAX },
		{ "{'Version':'2012-10-17','Id':[],'Statement':{'Effect':'Allow'," AR "}}",
			SYNTAX },
		{ "{'Version':'2012-10-17','Id':{},'Statement':{'Effect':'Allow'," AR "}}",
			SYNTAX },
		{ "{'Statement':{'Effect':'Allow'," AR "}}", VERSION },
		{ "{'Version':'2008-10-17','Statement':{'Effect':'Allow'," AR "}}", VERSION },
		{ ST(AR "}}{"), SYNTAX },
		{ ST("'More':1," AR), SYNTAX },
		{ ST(AR ",'Action':'ecr:GetImage'"), SYNTAX },
		{ "{'Version':'2012-10-17','Version':'2012-10-17','Statement':{'Effect':'Allow'," AR
		  "}}",
			SYNTAX },
	};
	CHECK(POLICY_IDENTITY, rows);
}

static void effects_and_sids(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ DOC("{" AR "}"), SYNTAX },
		{ DOC("{'Effect':'Permit'," AR "}"), SYNTAX },
		{ DOC("{'Effect':''," AR "}"), SYNTAX },
		{ DOC("{'Effect':['Allow']," AR "}"), SYNTAX },
		{ DOC("{'Effect':true," AR "}"), SYNTAX },
		{ DOC("{'Effect':'allow'," AR "}"), LEGACY },
		{ DOC("{'Effect':'DENY'," AR "}"), LEGACY },
		{ DOC("{'effect':'Allow'," AR "}"), SYNTAX },
		{ ST("'Sid':'One1'," AR), NULL },
		{ ST("'Sid':''," AR), NULL },
		{ ST("'Sid':1," AR), SYNTAX },
		{ ST("'Sid':['a']," AR), SYNTAX },
		{ ST("'Sid':'two words'," AR),
			"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "
			"regular expression [0-9A-Za-z]*" },
		{ ST("'Sid':'a-b'," AR),
			"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "
			"regular expression [0-9A-Za-z]*" },
		{ DOC("[{'Sid':'a','Effect':'Allow'," AR "},{'Sid':'b','Effect':'Allow'," AR
		      "},{'Sid':'a','Effect':'Deny'," AR "}]"),
			"Statement IDs (SID) in a single policy must be unique." },
		{ DOC("[{'Sid':'a','Effect':'Allow'," AR "},{'Sid':'A','Effect':'Allow'," AR "}]"),
			NULL },
		{ DOC("[{'Sid':'','Effect':'Allow'," AR "},{'Sid':'','Effect':'Allow'," AR "}]"),
			NULL },
	};
	CHECK(POLICY_IDENTITY, rows);
}

static void actions(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ST("'Action':['ecr:Get*','ecr:*'],'Resource':'*'"), NULL },
		{ ST("'NotAction':'ecr:Get*','Resource':'*'"), NULL },
		{ ST("'Action':'*','Resource':'*'"), NULL },
		{ ST("'Action':'*:*','Resource':'*'"), NULL },
		{ ST("'Action':'ecr-public:Get?','Resource':'*'"), NULL },
		{ ST("'Resource':'*'"), NO_ACTION },
		{ ST("'Action':[],'Resource':'*'"), NO_ACTION },
		{ DOC("[{'Effect':'Deny'},{'Effect':'Allow'," AR "}]"), NO_ACTION },
		{ ST("'Action':'ecr:A','NotAction':'ecr:B','Resource':'*'"), SYNTAX },
		{ ST("'Action':[],'NotAction':'ecr:B','Resource':'*'"), SYNTAX },
		{ ST("'Action':{},'Resource':'*'"), SYNTAX },
		{ ST("'Action':[[]],'Resource':'*'"), SYNTAX },
		{ ST("'Action':[null],'Resource':'*'"), SYNTAX },
		{ ST("'Action':null,'Resource':'*'"), SYNTAX },
		{ ST("'Action':7,'Resource':'*'"), SYNTAX },
		{ ST("'Action':'','Resource':'*'"), VENDOR },
		{ ST("'NotAction':'','Resource':'*'"), VENDOR },
		{ ST("'Action':'PutImage','Resource':'*'"), VENDOR },
		{ ST("'Action':'invalid'"), VENDOR },
		{ ST("'Action':['ecr:PutImage','**'],'Resource':'*'"), VENDOR },
		{ ST("'Action':'ecr:Put:Image','Resource':'*'"),
			"Actions/Condition can contain only one colon." },
		{ ST("'Action':'a a:Put','Resource':'*'"), "Vendor a a is not valid" },
		{ ST("'Action':'e*:Put','Resource':'*'"), "Vendor e* is not valid" },
		{ ST("'Action':':Put','Resource':'*'"), "Vendor  is not valid" },
	};
	CHECK(POLICY_IDENTITY, rows);
}

static void resources(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ST("'Action':'*','Resource':'arn:aws:ecr:eu-west-1:111122223333:repository/a'"),
			NULL },
		{ ST("'Action':'*','Resource':['arn:aws:ecr:*:*:*','*']"), NULL },
		{ ST("'Action':'*','NotResource':'arn:aws:ecr:*'"), NULL },
		{ ST("'Action':'*','Resource':'arn:aws-us-gov:ecr:*'"), NULL },
		{ ST("'Action':'*','Resource':'arn:*:ecr:*'"), NULL },
		{ ST("'Action':'*','Resource':'arn:aws:ecr:*:*:repository/${aws:username}'"),
			NULL },
		{ ST("'Action':'*','Resource':'arn:aws:ecr:*:*:repository/${k, `v`}'"), NULL },
		{ ST("'Action':'*','Resource':'arn:aws:s3:::bucket/*'"), NULL },
		{ ST("'Action':'*','Resource':'arn:aws:iam::111122223333:role/x'"), NULL },
		{ ST("'Action':'*','Resource':'arn:aws:iam::*:*'"), NULL },
		{ ST("'Action':'ecr:PutImage'"), NO_RESOURCE },
		{ ST("'Action':'ecr:PutImage','Resource':[]"), NO_RESOURCE },
		{ ST("'Action':'ecr:PutImage','Resource':''"),
			"Resource  must be in ARN format or \"*\"." },
		{ ST("'Action':'ecr:PutImage','Resource':'some repository'"),
			"Resource some repository must be in ARN format or \"*\"." },
		{ ST("'Action':'ecr:PutImage','Resource':['*','app']"),
			"Resource app must be in ARN format or \"*\"." },
		{ ST("'Action':'e:c:r','Resource':'app'"),
			"Resource app must be in ARN format or \"*\"." },
		{ ST("'Action':'ecr:PutImage','Resource':'a:bcd'"),
			"Partition \"bcd\" is not valid for resource \"arn:bcd:*:*:*:*\"." },
		{ ST("'Action':'ecr:PutImage','Resource':'a:b:cd'"),
			"Partition \"b\" is not valid for resource \"arn:b:cd:*:*:*\"." },
		{ ST("'Action':'ecr:PutImage','Resource':'a:b:c:d:e:f:g:h'"),
			"Partition \"b\" is not valid for resource \"arn:b:c:d:e:f:g:h\"." },
		{ ST("'Action':'ecr:PutImage','Resource':'aws:s3:::example'"),
			"Partition \"s3\" is not valid for resource \"arn:s3:::example:*\"." },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws'"),
			"Resource vendor must be fully qualified and cannot contain regexes." },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws:s3::example'"), LEGACY },
		{ ST("'Resource':'arn:aws:s3::example'"), LEGACY },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws::x'"), LEGACY },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws:iam:::example'"), IAM_PATH },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws:iam:eu-west-1:1:role/x'"),
			"IAM resource arn:aws:iam:eu-west-1:1:role/x cannot contain region "
			"information." },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws:s3:eu-west-1::x'"),
			"Resource arn:aws:s3:eu-west-1::x can not contain region information." },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws:ecr:*:*:${unclosed'"), LEGACY },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws:ecr:*:*:${}'"), LEGACY },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws:ecr:*:*:${a, b}'"), LEGACY },
		{ ST("'Action':'ecr:PutImage','Resource':'arn:aws:ecr:*:*:${a, `b}'"), LEGACY },
		{ ST("'Action':'ecr:PutImage','Resource':{'a':'*'}"), SYNTAX },
		{ ST("'Action':'ecr:PutImage','Resource':['*',{}]"), SYNTAX },
		{ ST("'Action':'ecr:PutImage','Resource':'*','NotResource':[]"), SYNTAX },
	};
	CHECK(POLICY_IDENTITY, rows);
}

#define COND(block) ST(AR ",'Condition':" block)

static void conditions(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ COND("{}"), NULL },
		{ COND("{'StringEquals':{}}"), NULL },
		{ COND("{'StringEquals':{'a':'b'}}"), NULL },
		{ COND("{'StringEquals':{'a':['b','c'],'d':[]}}"), NULL },
		{ COND("{'StringEquals':{'a':1,'b':true,'c':1.5}}"), NULL },
		{ COND("{'ForAllValues:StringNotEqualsIgnoreCaseIfExists':{'a':'b'}}"), NULL },
		{ COND("{'ForAnyValue:ArnNotLike':{'a':'b'}}"), NULL },
		{ COND("{'Null':{'a':true}}"), NULL },
		{ COND("[]"), SYNTAX },
		{ COND("'a'"), SYNTAX },
		{ COND("null"), SYNTAX },
		{ COND("{'a':'b'}"), SYNTAX },
		{ COND("{'x':{'a':'1'}}"), SYNTAX },
		{ COND("{'stringequals':{'a':'1'}}"), SYNTAX },
		{ COND("{'StringEqual':{'a':'1'}}"), SYNTAX },
		{ COND("{'StringEquals':'b'}"), SYNTAX },
		{ COND("{'StringEquals':[]}"), SYNTAX },
		{ COND("{'StringEquals':{'a':{}}}"), SYNTAX },
		{ COND("{'StringEquals':{'a':[[]]}}"), SYNTAX },
		{ COND("{'StringEquals':{'a':null}}"), SYNTAX },
		{ COND("{'StringEquals':{'':'b'}}"), SYNTAX },
		{ COND("{'StringEquals':{'a':'b'},'StringEquals':{'c':'d'}}"), SYNTAX },
		{ COND("{'NullIfExists':{'a':true}}"), SYNTAX },
		{ COND("{'ForAllValues:':{'a':'b'}}"), SYNTAX },
		{ COND("{'ForSomeValues:StringEquals':{'a':'b'}}"), SYNTAX },
		{ COND("{'ForAllValues:ForAnyValue:StringEquals':{'a':'b'}}"), SYNTAX },
		{ COND("{'StringEqualsIfExistsIfExists':{'a':'b'}}"), SYNTAX },
		{ COND("{'IfExists':{'a':'b'}}"), SYNTAX },
		{ COND("{'BoolNotEquals':{'a':'true'}}"), SYNTAX },
		{ COND("{'StringEquals':{'a':'${unclosed'}}"), LEGACY },
		{ COND("{'NumericEquals':{'a':'x'}}"), LEGACY },
		{ COND("{'NumericEquals':{'a':''}}"), LEGACY },
		{ COND("{'NumericEquals':{'a':'0x10'}}"), LEGACY },
		{ COND("{'NumericEquals':{'a':'inf'}}"), LEGACY },
		{ COND("{'NumericEquals':{'a':' 1'}}"), LEGACY },
		{ COND("{'NumericEquals':{'a':'1.'}}"), LEGACY },
		{ COND("{'NumericEquals':{'a':'.5'}}"), LEGACY },
		{ COND("{'NumericEquals':{'a':'1e'}}"), LEGACY },
		{ COND("{'NumericEquals':{'a':['1','${b}']}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'tomorrow'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-13-01'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-02-29'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2100-02-29'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-04-31'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-1-1'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-01-01T'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-01-01T24:00Z'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-01-01T10Z'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-01-01T10:00:00.Z'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-01-01T10:00+1:00'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-01-01 10:00Z'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'2026-01-01T10:00Zx'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'-5'}}"), LEGACY },
		{ COND("{'DateEquals':{'a':'99999999999999999999'}}"), LEGACY },
		{ COND("{'Bool':{'a':'yes'}}"), LEGACY },
		{ COND("{'Null':{'a':''}}"), LEGACY },
		{ COND("{'BinaryEquals':{'a':'AQI'}}"), LEGACY },
		{ COND("{'BinaryEquals':{'a':'AQIDBA=='}}"), NULL },
		{ COND("{'IpAddress':{'a':'10.0.0.0/33'}}"), LEGACY },
		{ COND("{'IpAddress':{'a':'10.0.0'}}"), LEGACY },
		{ COND("{'IpAddress':{'a':'10.0.0.0/'}}"), LEGACY },
		{ COND("{'IpAddress':{'a':'10.0.0.0/-1'}}"), LEGACY },
		{ COND("{'IpAddress':{'a':'10.0.0.0/8/8'}}"), LEGACY },
		{ COND("{'IpAddress':{'a':'2001:db8::/129'}}"), LEGACY },
		{ COND("{'IpAddress':{'a':'*'}}"), LEGACY },
	};
	CHECK(POLICY_IDENTITY, rows);
}

static void identity_and_session_policies_have_no_principal(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ST("'Principal':'*'," AR), "Policy document should not specify a principal." },
		{ ST("'Principal':{'AWS':'111122223333'}," AR),
			"Policy document should not specify a principal." },
		{ ST("'NotPrincipal':'*'," AR), "Policy document should not specify a principal." },
		{ ST("'Principal':'me'," AR), SYNTAX },
	};
	static const struct row old[] = {
		{ "{'Statement':{'Effect':'Allow'," AR "}}", NULL },
		{ "{'Version':'2008-10-17','Statement':{'Effect':'Allow'," AR "}}", NULL },
	};
	CHECK(POLICY_IDENTITY, rows);
	CHECK(POLICY_SESSION, rows);
	CHECK(POLICY_SESSION, old);
}

#define TRUST(more) ST("'Action':'sts:AssumeRole'," more)

static void trust_policies(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ TRUST("'Principal':{'AWS':'111122223333'}"), NULL },
		{ TRUST("'Principal':{'Service':'ecr.amazonaws.com'}"), NULL },
		{ TRUST("'Principal':{'AWS':['arn:aws:iam::111122223333:root',"
			"'arn:aws:iam::111122223333:user/a/b','arn:aws:iam::111122223333:role/x',"
			"'arn:aws:sts::111122223333:assumed-role/x/y',"
			"'arn:aws:sts::111122223333:federated-user/z']}"),
			NULL },
		{ TRUST("'Principal':{'Federated':'cognito-identity.amazonaws.com'}"), NULL },
		{ TRUST("'Principal':'*'"), NULL },
		{ "{'Version':'2008-10-17','Statement':[{'Effect':'Allow','Principal':{'AWS':'*'},"
		  "'Action':['sts:AssumeRole','sts:TagSession']}]}",
			NULL },
		{ ST("'Action':'sts:AssumeRoleWithWebIdentity','Principal':{'Federated':'x'}"),
			NULL },
		{ ST("'Action':'sts:AssumeRole'"), "Missing required field Principal" },
		{ TRUST("'NotPrincipal':'*'"), "Has prohibited field NotPrincipal" },
		{ TRUST("'Principal':'*','Resource':'*'"), "Has prohibited field Resource." },
		{ TRUST("'Principal':'*','NotResource':'*'"), "Has prohibited field Resource." },
		{ ST("'Action':'ecr:PutImage','Principal':'*'"),
			"AssumeRole policy may only specify STS AssumeRole actions." },
		{ ST("'Action':'*','Principal':'*'"),
			"AssumeRole policy may only specify STS AssumeRole actions." },
		{ ST("'NotAction':'sts:AssumeRole','Principal':'*'"),
			"AssumeRole policy may only specify STS AssumeRole actions." },
		{ ST("'Principal':'*'"), NO_ACTION },
		{ TRUST("'Principal':{'AWS':'me'}"),
			"Invalid principal in policy: \"AWS\":\"me\"" },
		{ TRUST("'Principal':{'AWS':'11112222333'}"),
			"Invalid principal in policy: \"AWS\":\"11112222333\"" },
		{ TRUST("'Principal':{'AWS':'arn:aws:iam::111122223333:user/*'}"),
			"Invalid principal in policy: "
			"\"AWS\":\"arn:aws:iam::111122223333:user/*\"" },
		{ TRUST("'Principal':{'AWS':'arn:aws:iam::111122223333:user/'}"),
			"Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:user/\"" },
		{ TRUST("'Principal':{'AWS':'arn:aws:iam::111122223333:group/g'}"),
			"Invalid principal in policy: "
			"\"AWS\":\"arn:aws:iam::111122223333:group/g\"" },
		{ TRUST("'Principal':{'AWS':'arn:aws:iam:eu-west-1:111122223333:user/a'}"),
			"Invalid principal in policy: "
			"\"AWS\":\"arn:aws:iam:eu-west-1:111122223333:user/a\"" },
		{ TRUST("'Principal':{'AWS':'arn:aws:iam::1:user/a'}"),
			"Invalid principal in policy: \"AWS\":\"arn:aws:iam::1:user/a\"" },
		{ TRUST("'Principal':{'AWS':'arn:nix:iam::111122223333:user/a'}"),
			"Invalid principal in policy: \"AWS\":\"arn:nix:iam::111122223333:user/a\"" },
		{ TRUST("'Principal':{'AWS':''}"), "Invalid principal in policy: \"AWS\":\"\"" },
		{ TRUST("'Principal':{}"), SYNTAX },
		{ TRUST("'Principal':[]"), SYNTAX },
		{ TRUST("'Principal':{'AWS':[]}"), SYNTAX },
		{ TRUST("'Principal':{'AWS':{}}"), SYNTAX },
		{ TRUST("'Principal':{'AWS':[1]}"), SYNTAX },
		{ TRUST("'Principal':{'Aws':'*'}"), SYNTAX },
		{ TRUST("'Principal':{'User':'*'}"), SYNTAX },
		{ TRUST("'Principal':'111122223333'"), SYNTAX },
		{ TRUST("'Principal':'*','NotPrincipal':'*'"), SYNTAX },
	};
	CHECK(POLICY_TRUST, rows);
}

static void repository_policies(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ ST("'Principal':'*','Action':'ecr:BatchGetImage'"), NULL },
		{ "{'Version':'2008-10-17','Statement':[{'Sid':'pull, please','Effect':'Allow',"
		  "'Principal':{'AWS':'arn:aws:iam::444455556666:root'},"
		  "'Action':['ecr:BatchGetImage','ecr:GetDownloadUrlForLayer']}]}",
			NULL },
		{ "{'Statement':[{'Effect':'Allow','Principal':'*','Action':'ecr:*'}]}", NULL },
		{ DOC("[{'Sid':'a','Effect':'Allow','Principal':'*','Action':'ecr:A'},"
		      "{'Sid':'a','Effect':'Allow','Principal':'*','Action':'ecr:B'}]"),
			NULL },
		{ ST("'Principal':'*'," AR), NULL },
		{ ST("'Principal':{'CanonicalUser':'abc'}," AR), NULL },
		{ DOC("{'Effect':'Deny','NotPrincipal':{'AWS':'111122223333'},'Action':'*'}"),
			NULL },
		{ ST("'NotPrincipal':{'AWS':'111122223333'},'Action':'ecr:*'"), REPOSITORY },
		{ ST(AR), REPOSITORY },
		{ ST("'Principal':{'AWS':'nobody'}," AR), REPOSITORY },
		{ ST("'Principal':'*','Action':[]"), REPOSITORY },
		{ ST("'Principal':'*','Action':'PutImage'"), REPOSITORY },
		{ ST("'Principal':'*','Action':'ecr:A','Resource':'app'"), REPOSITORY },
		{ ST("'Principal':'*','Action':'ecr:A','Resource':[]"), REPOSITORY },
		{ DOC("{'Effect':'allow','Principal':'*','Action':'ecr:A'}"), REPOSITORY },
		{ "", REPOSITORY },
		{ "{}", REPOSITORY },
		{ "{'Version':'x','Statement':[]}", REPOSITORY },
	};
	static const struct row registry[] = {
		{ ST("'Principal':'*'," AR), NULL },
		{ ST("'Principal':{'AWS':'111122223333'},'Action':['ecr:ReplicateImage'],"
		     "'Resource':['arn:aws:ecr:eu-west-1:111122223333:repository/*']"),
			NULL },
		{ ST("'Principal':'*','Action':'ecr:*'"), REGISTRY },
		{ ST(AR), REGISTRY },
		{ "not JSON", REGISTRY },
	};
	CHECK(POLICY_REPOSITORY, rows);
	CHECK(POLICY_REGISTRY, registry);
}

static void the_first_fault_in_the_order_of_iam_is_told(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* Syntax, version, the old parser, Sids, actions, resources, vendors, the rest. */
		{ "{'Statement':{'Effect':'allow','Action':'x','Bad':1}}", SYNTAX },
		{ "{'Statement':{'Effect':'allow','Action':'x'}}", VERSION },
		{ DOC("{'Effect':'allow','Sid':'a b','Action':'x'}"), LEGACY },
		{ ST("'Sid':'a b','Resource':'x'"),
			"Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the "
			"regular expression [0-9A-Za-z]*" },
		{ ST("'Resource':'x'"), NO_ACTION },
		{ ST("'Action':'x','Resource':'x'"), "Resource x must be in ARN format or \"*\"." },
		{ ST("'Action':'x','Principal':'*'"), VENDOR },
		{ DOC("[{'Effect':'Allow','Action':'x','Resource':'*'},{'Effect':'Nay'}]"),
			SYNTAX },
	};
	CHECK(POLICY_IDENTITY, rows);
}

static void sizes_are_bounded(void **state)
{
	(void)state;
	static const size_t sizes[] = { POLICY_TEXT_MAX + 1, POLICY_TEXT_MAX };
	struct err err;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct policy *p CLEANUP(policy_freep) = NULL;
		char *text = malloc(sizes[i]);
		const char head[] =
			"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\","
			"\"Resource\":\"*\",\"Action\":[\"*\"";
		const char tail[] = "]}}";
		size_t at = sizeof(head) - 1;
		assert_non_null(text);
		memset(text, ' ', sizes[i]);
		memcpy(text, head, at);
		for (; at + 4 + sizeof(tail) < sizes[i]; at += 4)
			memcpy(text + at, ",\"*\"", 4);
		memcpy(text + at, tail, sizeof(tail) - 1);
		struct str s = { text, sizes[i] };
		if (sizes[i] > POLICY_TEXT_MAX)
			ASSERT_FAILS(ERR_TOO_LARGE, policy_compile(s, POLICY_IDENTITY, &p, &err));
		else
			ASSERT_DONE(policy_compile(s, POLICY_IDENTITY, &p, &err));
		free(text);
	}
}

static void deep_documents_are_refused(void **state)
{
	(void)state;
	char text[100001];
	struct policy *p = NULL;
	struct err err;
	memset(text, '[', 100000);
	text[100000] = '\0';
	ASSERT_FAILS(ERR_INVALID, policy_compile(str_from(text), POLICY_IDENTITY, &p, &err));
	assert_string_equal(err.msg, SYNTAX);
}

static bool collect(void *arg, struct str type, struct str value)
{
	char *out = arg;
	size_t len = strlen(out);
	snprintf(out + len, 512 - len, "%.*s=%.*s ", STR_ARG(type), STR_ARG(value));
	return true;
}

static void what_a_policy_names_and_reads_can_be_asked(void **state)
{
	(void)state;
	char text[1024];
	char found[512] = "";
	struct policy *p CLEANUP(policy_freep) = NULL;
	struct err err;
	quote(ST("'Principal':{'AWS':['arn:aws:iam::111122223333:root','*',"
		 "'arn:aws:iam::111122223333:user/a'],'Service':'s.x'},'Action':'ecr:*',"
		 "'Resource':'arn:aws:ecr:*:*:repository/${aws:PrincipalTag/Team}',"
		 "'Condition':{'StringEquals':{'aws:ResourceTag/Stage':'${aws:userid}'}}"),
		text, sizeof(text));
	ASSERT_DONE(policy_compile(str_from(text), POLICY_REGISTRY, &p, &err));
	assert_int_equal(policy_kind_of(p), POLICY_REGISTRY);
	assert_true(policy_each_principal(p, collect, found));
	assert_string_equal(
		found, "AWS=* AWS=111122223333 AWS=arn:aws:iam::111122223333:user/a Service=s.x ");
	assert_true(policy_reads(p, STR("aws:resourcetag/")));
	assert_true(policy_reads(p, STR("aws:principaltag/team")));
	assert_true(policy_reads(p, STR("aws:userid")));
	assert_false(policy_reads(p, STR("aws:requesttag/")));
	assert_false(policy_reads(p, STR("aws:userid2")));
}

static void managed_policies_compile(void **state)
{
	(void)state;
	struct err err;
	for (size_t i = 0; i < MANAGED_POLICY_COUNT; i++) {
		struct policy *p CLEANUP(policy_freep) = NULL;
		const struct managed_policy *m = &managed_policies[i];
		ASSERT_DONE(policy_compile(str_from(m->document), POLICY_IDENTITY, &p, &err));
		assert_ptr_equal(managed_policy_find(str_from(m->arn)), m);
		assert_int_equal(strlen(m->policy_id), 21);
		assert_string_equal(m->arn + strlen("arn:aws:iam::aws:policy/"), m->name);
	}
	assert_null(managed_policy_find(STR("arn:aws:iam::aws:policy/AdministratorAccess")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents),
		cmocka_unit_test(effects_and_sids),
		cmocka_unit_test(actions),
		cmocka_unit_test(resources),
		cmocka_unit_test(conditions),
		cmocka_unit_test(identity_and_session_policies_have_no_principal),
		cmocka_unit_test(trust_policies),
		cmocka_unit_test(repository_policies),
		cmocka_unit_test(the_first_fault_in_the_order_of_iam_is_told),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(deep_documents_are_refused),
		cmocka_unit_test(what_a_policy_names_and_reads_can_be_asked),
		cmocka_unit_test(managed_policies_compile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
