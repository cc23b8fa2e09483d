#include "console/console_priv.h"

/* RFC 9110 12.4.2: "q=0", "q=0.0", ... mean "not acceptable"; every other weight will do. */
static bool is_refused(struct str parameters)
{
	struct str one;
	struct str rest = parameters;
	while (rest.len != 0) {
		(void)str_cut(rest, ';', &one, &rest);
		one = str_trim(one);
		if (!str_starts(one, STR("q=")) && !str_starts(one, STR("Q=")))
			continue;
		for (size_t i = 2; i < one.len; i++) {
			if (one.ptr[i] != '0' && one.ptr[i] != '.')
				return false;
		}
		return true;
	}
	return false;
}

struct console_codings console_codings_of(struct str accept_encoding)
{
	struct console_codings allowed = { false, false };
	struct console_codings named = { false, false };
	bool others = false;
	struct str rest = accept_encoding;
	while (rest.len != 0) {
		struct str item;
		struct str coding;
		struct str parameters;
		(void)str_cut(rest, ',', &item, &rest);
		(void)str_cut(item, ';', &coding, &parameters);
		coding = str_trim(coding);
		bool will_do = !is_refused(parameters);
		if (str_eq_nocase(coding, STR("br"))) {
			named.brotli = true;
			allowed.brotli = will_do;
		} else if (str_eq_nocase(coding, STR("gzip")) ||
			   str_eq_nocase(coding, STR("x-gzip"))) {
			named.gzip = true;
			allowed.gzip = will_do;
		} else if (str_eq_c(coding, "*")) {
			others = will_do;
		}
	}
	allowed.gzip = named.gzip ? allowed.gzip : others;
	allowed.brotli = named.brotli ? allowed.brotli : others;
	return allowed;
}
