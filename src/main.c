/* main.c - hands argv to app/. */
#include <unistd.h>

#include "app/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv, environ);
}
