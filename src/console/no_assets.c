/* no_assets.c - what the console is in a build without Node: one page that says so. */
#include "console/assets.h"

static const unsigned char page[] =
	"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Berth</title>\n"
	"<h1>Berth</h1>\n"
	"<p>This server was built without its console (-Dconsole=false, or there was no npm). "
	"The registry and all of its APIs work: use docker, the AWS CLI, or berth savings.</p>\n"
	"</html>\n";

const struct console_asset console_assets[] = {
	{ .path = "index.html",
		.type = "text/html; charset=utf-8",
		.hash = "without-console-1",
		.plain = { page, page + sizeof(page) - 1 } },
};
const size_t console_asset_count = 1;
