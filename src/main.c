/* main.c - hands argv to app/. */
int main(void)
{
	return 0;
}
