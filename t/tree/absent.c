/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Built by t/tree/tool-run: a program that needs a symbol which no libibverbs has. */
extern int ibv_not_in_any_release(void);

int main(void)
{
	return ibv_not_in_any_release();
}
