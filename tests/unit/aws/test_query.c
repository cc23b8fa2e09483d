/* The query protocol's text. */
#include "../unit.h"
#include "aws/query.h"

static void what_has_a_meaning_in_xml_is_escaped(void **state)
{
	struct buf out CLEANUP(buf_fini);
	(void)state;
	buf_init(&out, 1024);
	query_add_element(&out, "A", STR("<a b=\"c\">&'\n\001\303\251\0\177~"));
	ASSERT_STR(buf_str(&out), "<A>&lt;a b=&quot;c&quot;&gt;&amp;'&#10;?\303\251??~</A>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_a_meaning_in_xml_is_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
