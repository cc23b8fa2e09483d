/* Conditions, variables and patterns: each row of a table is one condition or pattern against one
 * request. */
#include "../unit.h"
#include "auth/policy.h"
#include "base/clock.h"

struct key_row {
	const char *name;
	const char *values[3];
};

static const struct key_row context[] = {
	{ "aws:username", { "alice" } },
	{ "AWS:PrincipalTag/Team", { "blue" } },
	{ "aws:PrincipalTag/empty", { "" } },
	{ "aws:ResourceTag/team", { "blue" } },
	{ "aws:ResourceTag/odd", { "a*b" } },
	{ "aws:TagKeys", { "team", "stage" } },
	{ "aws:RequestTag/none", { NULL } },
	{ "aws:SourceIp", { "203.0.113.7" } },
	{ "v6", { "2001:db8::7" } },
	{ "mapped", { "::ffff:203.0.113.7" } },
	{ "net", { "10.0.0.0/8" } },
	{ "two-ips", { "203.0.113.7", "10.0.0.1" } },
	{ "aws:CurrentTime", { "2026-11-24T03:00:00Z" } },
	{ "aws:EpochTime", { "1795489200" } },
	{ "aws:SecureTransport", { "true" } },
	{ "aws:MultiFactorAuthPresent", { "false" } },
	{ "aws:PrincipalArn", { "arn:aws:iam::111122223333:role/ci/build" } },
	{ "aws:SourceArn", { "arn:aws:sns:eu-west-1:111122223333:a:b" } },
	{ "aws:UserAgent", { "docker/24.0 go/1.20" } },
	{ "n", { "10" } },
	{ "f", { "2.5" } },
	{ "bytes", { "AQID" } },
	{ "junk", { "zzz" } },
	{ "wild", { "x\xff\xfey" } },
	{ "accent", { "caf\xc3\xa9" } },
	{ "two-names", { "alice", "bob" } },
};

struct request_data {
	struct policy_key keys[ARRAY_LEN(context)];
	struct str values[ARRAY_LEN(context)][3];
	struct policy_request request;
};

static void fill(struct request_data *d)
{
	for (size_t i = 0; i < ARRAY_LEN(context); i++) {
		size_t n = 0;
		for (; n < 3 && context[i].values[n] != NULL; n++)
			d->values[i][n] = str_from(context[i].values[n]);
		d->keys[i] = (struct policy_key){ str_from(context[i].name), d->values[i], n };
	}
	d->request = (struct policy_request){
		.caller = { CALLER_USER, STR("arn:aws:iam::111122223333:user/alice"), STR(""),
			STR("111122223333") },
		.action = STR("ecr:PutImage"),
		.resource = STR("arn:aws:ecr:eu-west-1:111122223333:repository/team/app"),
		.account = STR("111122223333"),
		.keys = d->keys,
		.key_count = ARRAY_LEN(context),
	};
}

static bool allows(const char *text, const struct policy_request *request)
{
	struct policy *p CLEANUP(policy_freep) = NULL;
	struct err err;
	if (!policy_compile(str_from(text), POLICY_SESSION, &p, &err))
		fail_msg("%s: %s (%s)", text, err_text(&err), err.detail);
	const struct policy *const list[] = { p };
	const struct policy_set set = { .identity = { list, 1 } };
	return policy_eval(&set, request).is_allowed;
}

struct condition_row {
	const char *block; /* what stands between the braces of "Condition"; ' for " */
	bool holds;
};

static void check_rows(const struct condition_row *rows, size_t count)
{
	struct request_data d;
	char text[1024];
	fill(&d);
	for (size_t i = 0; i < count; i++) {
		int len = snprintf(text, sizeof(text),
			"{'Version':'2012-10-17','Statement':{'Effect':'Allow','Action':'*',"
			"'Resource':'*','Condition':{%s}}}",
			rows[i].block);
		for (int c = 0; c < len; c++) {
			if (text[c] == '\'')
				text[c] = '"';
			else if (text[c] == '`')
				text[c] = '\'';
		}
		if (allows(text, &d.request) != rows[i].holds)
			fail_msg("%s is to %s", rows[i].block, rows[i].holds ? "hold" : "fail");
	}
}

#define CHECK_ROWS(rows) check_rows(rows, ARRAY_LEN(rows))

static void string_operators_compare_whole_texts(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'StringEquals':{'aws:username':'alice'}", true },
		{ "'StringEquals':{'AWS:USERNAME':'alice'}", true },
		{ "'StringEquals':{'aws:username':'Alice'}", false },
		{ "'StringEquals':{'aws:username':'alic'}", false },
		{ "'StringEquals':{'aws:username':'alicee'}", false },
		{ "'StringEquals':{'aws:username':''}", false },
		{ "'StringEquals':{'aws:username':['bob','alice']}", true },
		{ "'StringEquals':{'aws:username':[]}", false },
		{ "'StringEquals':{'aws:username':'a*'}", false },
		{ "'StringEquals':{'aws:username':'?lice'}", false },
		{ "'StringEquals':{'aws:ResourceTag/odd':'a*b'}", true },
		{ "'StringEquals':{'aws:PrincipalTag/empty':''}", true },
		{ "'StringEquals':{'nobody':'alice'}", false },
		{ "'StringEquals':{'aws:RequestTag/none':''}", false },
		{ "'StringEquals':{'n':10}", true },
		{ "'StringEquals':{'aws:SecureTransport':true}", true },
		{ "'StringEquals':{'aws:username':'alice','n':'10'}", true },
		{ "'StringEquals':{'aws:username':'alice','n':'11'}", false },
		{ "'StringEquals':{'aws:username':'alice'},'NumericLessThan':{'n':'11'}", true },
		{ "'StringEquals':{'aws:username':'alice'},'NumericLessThan':{'n':'9'}", false },
		{ "'StringNotEquals':{'aws:username':'bob'}", true },
		{ "'StringNotEquals':{'aws:username':'alice'}", false },
		{ "'StringNotEquals':{'aws:username':['bob','alice']}", false },
		{ "'StringNotEquals':{'aws:username':['bob','carol']}", true },
		{ "'StringNotEquals':{'aws:username':[]}", true },
		{ "'StringNotEquals':{'nobody':'alice'}", true },
		{ "'StringEqualsIgnoreCase':{'aws:username':'ALICE'}", true },
		{ "'StringEqualsIgnoreCase':{'aws:username':'ALICEE'}", false },
		{ "'StringEqualsIgnoreCase':{'aws:username':'A*'}", false },
		{ "'StringNotEqualsIgnoreCase':{'aws:username':'ALICE'}", false },
		{ "'StringNotEqualsIgnoreCase':{'aws:username':'BOB'}", true },
		{ "'StringNotEqualsIgnoreCase':{'nobody':'BOB'}", true },
		{ "'StringEquals':{'two-names':'bob'}", true },
		{ "'StringNotEquals':{'two-names':'bob'}", false },
		{ "'StringNotEquals':{'two-names':'carol'}", true },
	};
	CHECK_ROWS(rows);
}

static void string_like_knows_wildcards(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'StringLike':{'aws:username':'*'}", true },
		{ "'StringLike':{'aws:username':'a*'}", true },
		{ "'StringLike':{'aws:username':'*e'}", true },
		{ "'StringLike':{'aws:username':'*lic*'}", true },
		{ "'StringLike':{'aws:username':'a*i*e'}", true },
		{ "'StringLike':{'aws:username':'a**e'}", true },
		{ "'StringLike':{'aws:username':'a***'}", true },
		{ "'StringLike':{'aws:username':'alice*'}", true },
		{ "'StringLike':{'aws:username':'*alice'}", true },
		{ "'StringLike':{'aws:username':'al?ce'}", true },
		{ "'StringLike':{'aws:username':'????\?'}", true },
		{ "'StringLike':{'aws:username':'???\?'}", false },
		{ "'StringLike':{'aws:username':'?????\?'}", false },
		{ "'StringLike':{'aws:username':'*????\?'}", true },
		{ "'StringLike':{'aws:username':'?*???\?'}", true },
		{ "'StringLike':{'aws:username':'*?????*'}", true },
		{ "'StringLike':{'aws:username':'*?????\?'}", false },
		{ "'StringLike':{'aws:username':'A*'}", false },
		{ "'StringLike':{'aws:username':'a*x'}", false },
		{ "'StringLike':{'aws:username':'*i*l*'}", false },
		{ "'StringLike':{'aws:username':'ali*ice'}", false },
		{ "'StringLike':{'aws:username':''}", false },
		{ "'StringLike':{'aws:PrincipalTag/empty':''}", true },
		{ "'StringLike':{'aws:PrincipalTag/empty':'*'}", true },
		{ "'StringLike':{'aws:PrincipalTag/empty':'?'}", false },
		{ "'StringLike':{'aws:UserAgent':'docker/*'}", true },
		{ "'StringLike':{'aws:UserAgent':'*go/1.2?'}", true },
		{ "'StringLike':{'accent':'caf?'}", true },
		{ "'StringLike':{'accent':'*?'}", true },
		{ "'StringLike':{'accent':'caf?\?'}", false },
		{ "'StringLike':{'accent':'???\?'}", true },
		{ "'StringLike':{'accent':'*f?'}", true },
		{ "'StringLike':{'accent':'ca*f\xc3\xa9'}", true },
		{ "'StringLike':{'aws:ResourceTag/odd':'a${*}b'}", true },
		{ "'StringLike':{'aws:username':'a${*}e'}", false },
		{ "'StringLike':{'aws:username':'alic${?}'}", false },
		{ "'StringNotLike':{'aws:username':'b*'}", true },
		{ "'StringNotLike':{'aws:username':'a*'}", false },
		{ "'StringNotLike':{'aws:username':['b*','a*']}", false },
		{ "'StringNotLike':{'nobody':'*'}", true },
		{ "'StringLike':{'nobody':'*'}", false },
		{ "'StringLike':{'aws:username':'\\u0000*'}", false },
	};
	CHECK_ROWS(rows);
}

static void numbers_compare_as_numbers(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'NumericEquals':{'n':'10'}", true },
		{ "'NumericEquals':{'n':10}", true },
		{ "'NumericEquals':{'n':10.0}", true },
		{ "'NumericEquals':{'n':'10.00'}", true },
		{ "'NumericEquals':{'n':'1e1'}", true },
		{ "'NumericEquals':{'n':'+10'}", true },
		{ "'NumericEquals':{'n':'010'}", true },
		{ "'NumericEquals':{'n':'9'}", false },
		{ "'NumericEquals':{'n':['9','10']}", true },
		{ "'NumericEquals':{'f':2.5}", true },
		{ "'NumericEquals':{'f':'2'}", false },
		{ "'NumericEquals':{'junk':'0'}", false },
		{ "'NumericEquals':{'nobody':'0'}", false },
		{ "'NumericNotEquals':{'n':'9'}", true },
		{ "'NumericNotEquals':{'n':'10'}", false },
		{ "'NumericNotEquals':{'junk':'10'}", true },
		{ "'NumericNotEquals':{'nobody':'10'}", true },
		{ "'NumericLessThan':{'n':'11'}", true },
		{ "'NumericLessThan':{'n':'10'}", false },
		{ "'NumericLessThan':{'n':'9'}", false },
		{ "'NumericLessThan':{'n':'100'}", true },
		{ "'NumericLessThan':{'n':['1','100']}", true },
		{ "'NumericLessThanEquals':{'n':'10'}", true },
		{ "'NumericLessThanEquals':{'n':'9.99'}", false },
		{ "'NumericGreaterThan':{'n':'9'}", true },
		{ "'NumericGreaterThan':{'n':'10'}", false },
		{ "'NumericGreaterThan':{'n':-1}", true },
		{ "'NumericGreaterThan':{'junk':'-1'}", false },
		{ "'NumericGreaterThanEquals':{'n':'10'}", true },
		{ "'NumericGreaterThanEquals':{'n':'10.5'}", false },
		{ "'NumericLessThan':{'nobody':'100'}", false },
		{ "'NumericLessThanIfExists':{'nobody':'100'}", true },
		{ "'NumericLessThanIfExists':{'n':'1'}", false },
	};
	CHECK_ROWS(rows);
}

static void dates_compare_as_moments(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'DateEquals':{'aws:CurrentTime':'2026-11-24T03:00:00Z'}", true },
		{ "'DateEquals':{'aws:CurrentTime':'2026-11-24T04:00:00+01:00'}", true },
		{ "'DateEquals':{'aws:CurrentTime':'2026-11-23T22:00:00-05:00'}", true },
		{ "'DateEquals':{'aws:CurrentTime':'2026-11-24T03:00Z'}", true },
		{ "'DateEquals':{'aws:CurrentTime':'2026-11-24T03:00:00.000Z'}", true },
		{ "'DateEquals':{'aws:CurrentTime':'2026-11-24t03:00:00z'}", true },
		{ "'DateEquals':{'aws:CurrentTime':'2026-11-24T03:00:00'}", true },
		{ "'DateEquals':{'aws:CurrentTime':'1795489200'}", true },
		{ "'DateEquals':{'aws:CurrentTime':1795489200}", true },
		{ "'DateEquals':{'aws:EpochTime':'2026-11-24T03:00:00Z'}", true },
		{ "'DateEquals':{'aws:CurrentTime':'2026-11-24'}", false },
		{ "'DateEquals':{'aws:CurrentTime':'2026-11-24T03:00:00.001Z'}", false },
		{ "'DateNotEquals':{'aws:CurrentTime':'2026-11-24'}", true },
		{ "'DateNotEquals':{'aws:CurrentTime':'2026-11-24T03:00:00Z'}", false },
		{ "'DateNotEquals':{'nobody':'2026-11-24'}", true },
		{ "'DateLessThan':{'aws:CurrentTime':'2026-11-24T03:00:01Z'}", true },
		{ "'DateLessThan':{'aws:CurrentTime':'2026-11-24T03:00:00Z'}", false },
		{ "'DateLessThan':{'aws:CurrentTime':'2026-12'}", true },
		{ "'DateLessThan':{'aws:CurrentTime':'2026-11'}", false },
		{ "'DateLessThanEquals':{'aws:CurrentTime':'2026-11-24T03:00:00Z'}", true },
		{ "'DateGreaterThan':{'aws:CurrentTime':'2026-11-24'}", true },
		{ "'DateGreaterThan':{'aws:CurrentTime':'2024-02-29'}", true },
		{ "'DateGreaterThan':{'aws:CurrentTime':'2000-02-29T00:00:00Z'}", true },
		{ "'DateGreaterThan':{'aws:CurrentTime':'2027-01-01'}", false },
		{ "'DateGreaterThan':{'aws:EpochTime':'1795489199'}", true },
		{ "'DateGreaterThan':{'aws:EpochTime':'1795489200'}", false },
		{ "'DateGreaterThanEquals':{'aws:EpochTime':'1795489200'}", true },
		{ "'DateGreaterThan':{'junk':'2000-01-01'}", false },
		{ "'DateGreaterThan':{'nobody':'2000-01-01'}", false },
		{ "'DateGreaterThan':{'aws:CurrentTime':'2020-01-01T00:00:00Z'},"
		  "'DateLessThan':{'aws:CurrentTime':'2030-01-01T00:00:00Z'}",
			true },
		{ "'DateGreaterThan':{'aws:CurrentTime':'1969-12-31'}", true },
	};
	CHECK_ROWS(rows);
}

static void flags_bytes_and_presence(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'Bool':{'aws:SecureTransport':'true'}", true },
		{ "'Bool':{'aws:SecureTransport':true}", true },
		{ "'Bool':{'aws:SecureTransport':'TRUE'}", true },
		{ "'Bool':{'aws:SecureTransport':'false'}", false },
		{ "'Bool':{'aws:SecureTransport':['true','false']}", true },
		{ "'Bool':{'aws:MultiFactorAuthPresent':'false'}", true },
		{ "'Bool':{'nobody':'false'}", false },
		{ "'Bool':{'junk':'false'}", false },
		{ "'BoolIfExists':{'nobody':'true'}", true },
		{ "'BoolIfExists':{'aws:MultiFactorAuthPresent':'true'}", false },
		{ "'BinaryEquals':{'bytes':'AQID'}", true },
		{ "'BinaryEquals':{'bytes':'AQIE'}", false },
		{ "'BinaryEquals':{'bytes':['AQIE','AQID']}", true },
		{ "'BinaryEquals':{'nobody':'AQID'}", false },
		{ "'BinaryEqualsIfExists':{'nobody':'AQID'}", true },
		{ "'Null':{'nobody':'true'}", true },
		{ "'Null':{'nobody':true}", true },
		{ "'Null':{'nobody':'false'}", false },
		{ "'Null':{'aws:username':'true'}", false },
		{ "'Null':{'aws:username':'false'}", true },
		{ "'Null':{'aws:username':['true','false']}", true },
		{ "'Null':{'aws:RequestTag/none':'true'}", true },
		{ "'Null':{'aws:PrincipalTag/empty':'false'}", true },
		{ "'Null':{'aws:PrincipalTag/team':false,'aws:ResourceTag/team':false}", true },
		{ "'Null':{'aws:PrincipalTag/team':false,'aws:ResourceTag/no':false}", false },
		{ "", true },
		{ "'StringEquals':{}", true },
	};
	CHECK_ROWS(rows);
}

static void addresses_lie_in_networks(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'IpAddress':{'aws:SourceIp':'203.0.113.0/24'}", true },
		{ "'IpAddress':{'aws:SourceIp':'203.0.113.7'}", true },
		{ "'IpAddress':{'aws:SourceIp':'203.0.113.7/32'}", true },
		{ "'IpAddress':{'aws:SourceIp':'203.0.113.8'}", false },
		{ "'IpAddress':{'aws:SourceIp':'203.0.113.200/24'}", true },
		{ "'IpAddress':{'aws:SourceIp':'203.0.113.8/29'}", false },
		{ "'IpAddress':{'aws:SourceIp':'203.0.113.0/29'}", true },
		{ "'IpAddress':{'aws:SourceIp':'203.0.112.0/23'}", true },
		{ "'IpAddress':{'aws:SourceIp':'0.0.0.0/0'}", true },
		{ "'IpAddress':{'aws:SourceIp':'::/0'}", false },
		{ "'IpAddress':{'aws:SourceIp':['10.0.0.0/8','203.0.113.0/24']}", true },
		{ "'IpAddress':{'aws:SourceIp':['10.0.0.0/8','2001:db8::/32']}", false },
		{ "'IpAddress':{'mapped':'203.0.113.0/24'}", true },
		{ "'IpAddress':{'aws:SourceIp':'::ffff:203.0.113.0/120'}", true },
		{ "'IpAddress':{'v6':'2001:db8::/32'}", true },
		{ "'IpAddress':{'v6':'2001:DB8:0::/48'}", true },
		{ "'IpAddress':{'v6':'2001:db8::7'}", true },
		{ "'IpAddress':{'v6':'2001:db8::8/125'}", false },
		{ "'IpAddress':{'v6':'2001:db8::/125'}", true },
		{ "'IpAddress':{'v6':'::/0'}", true },
		{ "'IpAddress':{'v6':'0.0.0.0/0'}", false },
		{ "'IpAddress':{'junk':'0.0.0.0/0'}", false },
		{ "'IpAddress':{'net':'10.0.0.0/24'}", false },
		{ "'IpAddress':{'net':'10.0.0.0/7'}", true },
		{ "'IpAddress':{'nobody':'0.0.0.0/0'}", false },
		{ "'IpAddressIfExists':{'nobody':'10.0.0.0/8'}", true },
		{ "'NotIpAddress':{'aws:SourceIp':'10.0.0.0/8'}", true },
		{ "'NotIpAddress':{'aws:SourceIp':'203.0.113.0/24'}", false },
		{ "'NotIpAddress':{'aws:SourceIp':['10.0.0.0/8','203.0.113.0/24']}", false },
		{ "'NotIpAddress':{'nobody':'10.0.0.0/8'}", true },
		{ "'NotIpAddress':{'junk':'0.0.0.0/0'}", true },
		{ "'IpAddress':{'aws:SourceIp':'203.0.113.0/24'},"
		  "'NotIpAddress':{'aws:SourceIp':'203.0.113.7/32'}",
			false },
		{ "'ForAllValues:IpAddress':{'two-ips':['203.0.113.0/24','10.0.0.0/8']}", true },
		{ "'ForAllValues:IpAddress':{'two-ips':'10.0.0.0/8'}", false },
		{ "'ForAnyValue:NotIpAddress':{'two-ips':'10.0.0.0/8'}", true },
	};
	CHECK_ROWS(rows);
}

static void arns_compare_field_by_field(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'ArnEquals':{'aws:PrincipalArn':'arn:aws:iam::111122223333:role/ci/build'}",
			true },
		{ "'ArnEquals':{'aws:PrincipalArn':'arn:aws:iam::111122223333:role/*'}", true },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::*:role/*'}", true },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:*:*:*:*:*'}", true },
		{ "'ArnLike':{'aws:PrincipalArn':'*'}", true },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:*'}", false },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::111122223333:user/*'}", false },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::444455556666:role/*'}", false },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::111122223333:role/ci/?uild'}",
			true },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::11112222333?:role/*'}", true },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::*'}", false },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:*role/ci/build'}", false },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:i*:111122223333:role/ci/build'}", false },
		{ "'ArnLike':{'aws:SourceArn':'arn:aws:sns:eu-west-1:111122223333:a:b'}", true },
		{ "'ArnLike':{'aws:SourceArn':'arn:aws:sns:*:*:a*'}", true },
		{ "'ArnLike':{'aws:SourceArn':'arn:aws:sns:*:*:*'}", true },
		{ "'ArnLike':{'aws:SourceArn':'arn:aws:sns:*:*:*:b'}", true },
		{ "'ArnLike':{'aws:SourceArn':'ARN:aws:sns:*:*:*'}", false },
		{ "'ArnLike':{'aws:username':'arn:*:*:*:*:*'}", false },
		{ "'ArnLike':{'nobody':'*'}", false },
		{ "'ArnLike':{'aws:PrincipalArn':['arn:aws:iam::*:user/*','arn:aws:iam::*:role/*']}",
			true },
		{ "'ArnNotEquals':{'aws:PrincipalArn':'arn:aws:iam::*:role/*'}", false },
		{ "'ArnNotLike':{'aws:PrincipalArn':'arn:aws:iam::*:user/*'}", true },
		{ "'ArnNotLike':{'nobody':'*'}", true },
		{ "'ArnEqualsIfExists':{'nobody':'arn:aws:s3:::b'}", true },
		{ "'ArnLike':{'aws:PrincipalArn':'${aws:PrincipalArn}'}", true },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::111122223333:role/ci/${nobody, `build`}'}",
			true },
	};
	CHECK_ROWS(rows);
}

static void sets_ask_for_all_or_any_value(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'ForAllValues:StringEquals':{'aws:TagKeys':['team','stage','cost']}", true },
		{ "'ForAllValues:StringEquals':{'aws:TagKeys':['team']}", false },
		{ "'ForAllValues:StringEquals':{'aws:TagKeys':[]}", false },
		{ "'ForAllValues:StringEquals':{'nobody':['team']}", true },
		{ "'ForAllValues:StringEquals':{'aws:RequestTag/none':['team']}", true },
		{ "'ForAllValues:StringEquals':{'aws:PrincipalTag/empty':['team']}", true },
		{ "'ForAllValues:StringEquals':{'aws:username':['alice']}", true },
		{ "'ForAllValues:StringLike':{'aws:TagKeys':['t*','s*']}", true },
		{ "'ForAllValues:StringLike':{'aws:TagKeys':'t*'}", false },
		{ "'ForAllValues:StringNotEquals':{'aws:TagKeys':['cost']}", true },
		{ "'ForAllValues:StringNotEquals':{'aws:TagKeys':['cost','team']}", false },
		{ "'ForAllValues:StringNotEquals':{'nobody':['cost']}", true },
		{ "'ForAllValues:StringEqualsIfExists':{'aws:TagKeys':['team']}", false },
		{ "'ForAllValues:StringEqualsIgnoreCase':{'aws:TagKeys':['TEAM','STAGE']}", true },
		{ "'ForAnyValue:StringEquals':{'aws:TagKeys':['team','cost']}", true },
		{ "'ForAnyValue:StringEquals':{'aws:TagKeys':['cost']}", false },
		{ "'ForAnyValue:StringEquals':{'nobody':['team']}", false },
		{ "'ForAnyValue:StringEquals':{'aws:RequestTag/none':['team']}", false },
		{ "'ForAnyValue:StringEquals':{'aws:PrincipalTag/empty':['']}", false },
		{ "'ForAnyValue:StringNotEquals':{'nobody':['team']}", false },
		{ "'ForAnyValue:StringEqualsIfExists':{'nobody':['team']}", false },
		{ "'ForAnyValue:StringNotEquals':{'aws:TagKeys':['team']}", true },
		{ "'ForAnyValue:StringNotEquals':{'aws:TagKeys':['team','stage']}", false },
		{ "'ForAnyValue:StringLike':{'aws:TagKeys':'*age'}", true },
		{ "'ForAnyValue:StringNotLike':{'aws:TagKeys':'*a*'}", false },
		{ "'ForAllValues:StringEquals':{'aws:TagKeys':['team','stage']},"
		  "'Null':{'aws:TagKeys':'false'}",
			true },
		{ "'ForAllValues:StringEquals':{'nobody':['team','stage']},"
		  "'Null':{'nobody':'false'}",
			false },
		{ "'ForAnyValue:Null':{'nobody':'true'}", true },
	};
	CHECK_ROWS(rows);
}

static void if_exists_excuses_only_absence(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'StringEqualsIfExists':{'nobody':'x'}", true },
		{ "'StringEqualsIfExists':{'aws:RequestTag/none':'x'}", true },
		{ "'StringEqualsIfExists':{'aws:username':'alice'}", true },
		{ "'StringEqualsIfExists':{'aws:username':'bob'}", false },
		{ "'StringEqualsIfExists':{'aws:PrincipalTag/empty':'x'}", false },
		{ "'StringNotEqualsIfExists':{'nobody':'x'}", true },
		{ "'StringNotEqualsIfExists':{'aws:username':'alice'}", false },
		{ "'StringLikeIfExists':{'nobody':'x*'}", true },
		{ "'StringLikeIfExists':{'aws:username':'x*'}", false },
		{ "'StringNotLikeIfExists':{'aws:username':'a*'}", false },
		{ "'DateGreaterThanIfExists':{'nobody':'2030-01-01'}", true },
		{ "'DateGreaterThanIfExists':{'aws:CurrentTime':'2030-01-01'}", false },
		{ "'NotIpAddressIfExists':{'nobody':'10.0.0.0/8'}", true },
		{ "'NumericEqualsIfExists':{'junk':'1'}", false },
		{ "'ArnNotLikeIfExists':{'aws:PrincipalArn':'arn:aws:iam::*:role/*'}", false },
	};
	CHECK_ROWS(rows);
}

static void variables_bring_in_literal_values(void **state)
{
	(void)state;
	static const struct condition_row rows[] = {
		{ "'StringEquals':{'aws:username':'${aws:username}'}", true },
		{ "'StringEquals':{'aws:username':'${AWS:UserName}'}", true },
		{ "'StringEquals':{'aws:ResourceTag/team':'${aws:PrincipalTag/team}'}", true },
		{ "'StringEquals':{'aws:username':'${aws:PrincipalTag/team}'}", false },
		{ "'StringEquals':{'aws:username':'al${nobody, `ice`}'}", true },
		{ "'StringEquals':{'aws:username':'al${nobody,`ice`}'}", true },
		{ "'StringEquals':{'aws:username':'${aws:username, `bob`}'}", true },
		{ "'StringEquals':{'aws:username':'${aws:PrincipalTag/empty, `alice`}'}", true },
		{ "'StringEquals':{'aws:PrincipalTag/empty':'${nobody, ``}'}", true },
		{ "'StringEquals':{'aws:username':'${nobody}'}", false },
		{ "'StringEquals':{'aws:username':['${nobody}','alice']}", true },
		{ "'StringNotEquals':{'aws:username':'${nobody}'}", true },
		{ "'StringNotEquals':{'aws:username':['${nobody}','alice']}", false },
		{ "'StringEquals':{'aws:PrincipalTag/empty':'${aws:PrincipalTag/empty}'}", false },
		{ "'StringEquals':{'aws:TagKeys':'${aws:TagKeys}'}", false },
		{ "'StringLike':{'aws:TagKeys':'${aws:TagKeys, `t`}*'}", true },
		{ "'StringLike':{'aws:username':'${aws:ResourceTag/odd}'}", false },
		{ "'StringLike':{'aws:ResourceTag/odd':'${aws:ResourceTag/odd}'}", true },
		{ "'StringLike':{'aws:username':'${nobody, `*`}'}", false },
		{ "'StringLike':{'aws:ResourceTag/odd':'?${nobody, `*`}?'}", true },
		{ "'StringLike':{'aws:username':'${wild}'}", false },
		{ "'StringLike':{'aws:username':'*${aws:username}*'}", true },
		{ "'StringEquals':{'aws:username':'${$}{aws:username}'}", false },
		{ "'StringEquals':{'aws:username':'$alice'}", false },
		{ "'StringEqualsIgnoreCase':{'aws:username':'A${nobody, `LI`}CE'}", true },
		{ "'ArnLike':{'aws:PrincipalArn':'arn:aws:iam::111122223333:${nobody}'}", false },
		{ "'ArnNotLike':{'aws:PrincipalArn':'arn:aws:iam::111122223333:${nobody}'}", true },
	};
	CHECK_ROWS(rows);
}

static void variables_are_plain_text_before_2012(void **state)
{
	(void)state;
	struct request_data d;
	fill(&d);
	d.request.resource = STR("arn:aws:ecr:eu-west-1:111122223333:repository/${aws:username}");
	const char *old =
		"{\"Version\":\"2008-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
		"\"Resource\":\"arn:aws:ecr:*:*:repository/${aws:username}\"}}";
	const char *none = "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
			   "\"Resource\":\"arn:aws:ecr:*:*:repository/${aws:user*}\"}}";
	assert_true(allows(old, &d.request));
	assert_true(allows(none, &d.request));
	d.request.resource = STR("arn:aws:ecr:eu-west-1:111122223333:repository/alice");
	assert_false(allows(old, &d.request));
	assert_false(allows(none, &d.request));
}

struct match_row {
	const char *pattern;
	const char *text;
	bool matches;
};

static void check_matches(const char *element, const struct match_row *rows, size_t count)
{
	struct request_data d;
	char text[1024];
	fill(&d);
	for (size_t i = 0; i < count; i++) {
		bool action = strstr(element, "Action") != NULL;
		(void)snprintf(text, sizeof(text),
			"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",%s,"
			"\"%s\":\"%s\"}}",
			action ? "\"Resource\":\"*\"" : "\"Action\":\"*\"", element,
			rows[i].pattern);
		if (action)
			d.request.action = str_from(rows[i].text);
		else
			d.request.resource = str_from(rows[i].text);
		if (allows(text, &d.request) != rows[i].matches)
			fail_msg("%s is %sto match %s", rows[i].pattern,
				rows[i].matches ? "" : "not ", rows[i].text);
	}
}

static void actions_match_without_regard_to_case(void **state)
{
	(void)state;
	static const struct match_row rows[] = {
		{ "*", "ecr:PutImage", true },
		{ "*:*", "ecr:PutImage", true },
		{ "ecr:*", "ecr:PutImage", true },
		{ "ecr:PutImage", "ecr:PutImage", true },
		{ "ECR:PUTIMAGE", "ecr:PutImage", true },
		{ "ecr:putimage", "ECR:PutImage", true },
		{ "ecr:Put*", "ecr:PutImage", true },
		{ "ecr:Put*", "ecr:PutImageTagMutability", true },
		{ "ecr:PutImage", "ecr:PutImageTagMutability", false },
		{ "ecr:PutImageTagMutability", "ecr:PutImage", false },
		{ "ecr:*Image", "ecr:PutImage", true },
		{ "ecr:*Image", "ecr:BatchDeleteImage", true },
		{ "ecr:*Image", "ecr:DescribeImages", false },
		{ "ecr:*Image*", "ecr:DescribeImages", true },
		{ "ecr:?utImage", "ecr:PutImage", true },
		{ "ecr:?PutImage", "ecr:PutImage", false },
		{ "ecr:P*t*I*e", "ecr:PutImage", true },
		{ "ecr:Get*", "ecr:GetAuthorizationToken", true },
		{ "ecr:get*TOKEN", "ecr:GetAuthorizationToken", true },
		{ "ecr:Get*", "ecr:BatchGetImage", false },
		{ "s3:*", "ecr:PutImage", false },
		{ "ecr-public:*", "ecr:PutImage", false },
		{ "ecr:", "ecr:PutImage", false },
		{ "*:PutImage", "ecr:PutImage", true },
		{ "ecr:*", "ecr-public:PutImage", false },
		{ "ecr:**", "ecr:PutImage", true },
		{ "ecr:*PutImage", "ecr:PutImage", true },
		{ "ecr:PutImage*", "ecr:PutImage", true },
		{ "ecr:*", "", false },
	};
	check_matches("Action", rows, ARRAY_LEN(rows));
}

#define REPO "arn:aws:ecr:eu-west-1:111122223333:repository/"

static void resources_match_with_regard_to_case(void **state)
{
	(void)state;
	static const struct match_row rows[] = {
		{ "*", "*", true },
		{ "*", REPO "app", true },
		{ REPO "app", REPO "app", true },
		{ REPO "app", REPO "App", false },
		{ REPO "app", REPO "app2", false },
		{ REPO "app", REPO "team/app", false },
		{ REPO "*", REPO "team/app", true },
		{ REPO "team/*", REPO "team/app", true },
		{ REPO "team/*", REPO "team/a/b", true },
		{ REPO "team/*", REPO "team", false },
		{ REPO "team*", REPO "team", true },
		{ REPO "*/app", REPO "team/app", true },
		{ REPO "a?p", REPO "app", true },
		{ REPO "a?p", REPO "ap", false },
		{ REPO "???", REPO "app", true },
		{ "arn:aws:ecr:*:111122223333:repository/app", REPO "app", true },
		{ "arn:aws:ecr:eu-*:*:repository/app", REPO "app", true },
		{ "arn:aws:ecr:us-*:*:repository/app", REPO "app", false },
		{ "arn:aws:ecr:eu-west-1:444455556666:repository/*", REPO "app", false },
		{ "arn:aws-cn:ecr:*:*:repository/*", REPO "app", false },
		{ "arn:*:ecr:*:*:repository/*", REPO "app", true },
		{ "arn:aws:s3:::bucket", REPO "app", false },
		{ "arn:aws:ecr:*", REPO "app", true },
		{ "arn:aws:*", REPO "app", true },
		{ "arn:aws:ecr", REPO "app", true },
		{ "arn:aws:ecr:eu-west-1", REPO "app", true },
		{ "arn:aws:ecr:us-east-1", REPO "app", false },
		{ "arn:aws:ecr:eu-west-1:111122223333", REPO "app", true },
		{ "arn:aws:ecr:eu-west-1:444455556666", REPO "app", false },
		{ REPO "*", "*", false },
		{ REPO "${aws:username}", REPO "alice", true },
		{ REPO "${aws:username}", REPO "bob", false },
		{ REPO "${aws:username}/*", REPO "alice/app", true },
		{ REPO "${aws:PrincipalTag/Team}-*", REPO "blue-app", true },
		{ REPO "${aws:PrincipalTag/none, 'all'}", REPO "all", true },
		{ REPO "${aws:PrincipalTag/none}", REPO "", false },
		{ REPO "${aws:PrincipalTag/empty}*", REPO "app", false },
		{ REPO "a${*}b", REPO "a*b", true },
		{ REPO "a${*}b", REPO "axb", false },
		{ REPO "${aws:ResourceTag/odd}", REPO "axb", false },
		{ REPO "${aws:ResourceTag/odd}", REPO "a*b", true },
		{ "arn:aws:ecr:eu-west-1:${nobody, '111122223333'}", REPO "app", true },
	};
	check_matches("Resource", rows, ARRAY_LEN(rows));
}

static void not_resource_excludes_what_matches(void **state)
{
	(void)state;
	static const struct match_row rows[] = {
		{ REPO "app", REPO "app", false },
		{ REPO "app", REPO "other", true },
		{ "*", REPO "app", false },
		{ REPO "*", "*", true },
		/* "A resource with a variable without value matches no resource": nothing is
		   excluded. */
		{ REPO "${nobody}*", REPO "app", true },
		{ REPO "${aws:username}", REPO "alice", false },
	};
	check_matches("NotResource", rows, ARRAY_LEN(rows));
}

static void not_action_excludes_what_matches(void **state)
{
	(void)state;
	static const struct match_row rows[] = {
		{ "ecr:PutImage", "ecr:PutImage", false },
		{ "ecr:PUT*", "ecr:PutImage", false },
		{ "ecr:Delete*", "ecr:PutImage", true },
		{ "*", "ecr:PutImage", false },
	};
	check_matches("NotAction", rows, ARRAY_LEN(rows));
}

static void a_pattern_made_to_be_slow_is_not(void **state)
{
	(void)state;
	struct request_data d;
	char text[4096];
	char resource[2048];
	size_t len = 0;
	fill(&d);
	memset(resource, 'a', sizeof(resource));
	memcpy(resource, REPO, sizeof(REPO) - 1);
	d.request.resource = (struct str){ resource, sizeof(resource) };
	len += (size_t)snprintf(text, sizeof(text),
		"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"" REPO);
	for (int i = 0; i < 500; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "*aa%s", i % 3 ? "" : "?");
	(void)snprintf(text + len, sizeof(text) - len, "b\"}}");
	int64_t start = clock_mono_us();
	assert_false(allows(text, &d.request));
	/* It takes about a millisecond; one star more in a backtracking matcher would take for
	 * ever. */
	assert_true(clock_mono_us() - start < 5000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(string_operators_compare_whole_texts),
		cmocka_unit_test(string_like_knows_wildcards),
		cmocka_unit_test(numbers_compare_as_numbers),
		cmocka_unit_test(dates_compare_as_moments),
		cmocka_unit_test(flags_bytes_and_presence),
		cmocka_unit_test(addresses_lie_in_networks),
		cmocka_unit_test(arns_compare_field_by_field),
		cmocka_unit_test(sets_ask_for_all_or_any_value),
		cmocka_unit_test(if_exists_excuses_only_absence),
		cmocka_unit_test(variables_bring_in_literal_values),
		cmocka_unit_test(variables_are_plain_text_before_2012),
		cmocka_unit_test(actions_match_without_regard_to_case),
		cmocka_unit_test(resources_match_with_regard_to_case),
		cmocka_unit_test(not_resource_excludes_what_matches),
		cmocka_unit_test(not_action_excludes_what_matches),
		cmocka_unit_test(a_pattern_made_to_be_slow_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
