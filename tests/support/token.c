/* A PKCS #11 module around a real one, $TOKEN_MODULE: it writes down in $TOKEN_LOG what it is asked, and does
 * what that one would not do, as $TOKEN_MODE says:
 *
 *   locked   the token says that its PIN is locked       few      ... that few tries are left, final: one
 *   locks    it locks itself at the login                expired  the PIN has expired
 *   removed  it is gone when it is to sign               lies     signatures have one bit changed
 *   empty    signatures have no octets
 *
 * Preloaded, with TOKEN_MODE=none, it lets no program find p11-kit. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <p11-kit/pkcs11.h>

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out);

static CK_FUNCTION_LIST *real, wrapped;

static int mode(const char *name)
{
	const char *set = getenv("TOKEN_MODE");
	return set && strcmp(set, name) == 0;
}

static void note(const char *line)
{
	const char *path = getenv("TOKEN_LOG");
	FILE *f = path ? fopen(path, "a") : NULL;
	if (!f)
		return;
	(void)fprintf(f, "%s\n", line);
	(void)fclose(f);
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv = real->C_GetTokenInfo(slot, info);
	if (rv == CKR_OK && mode("locked"))
		info->flags |= CKF_USER_PIN_LOCKED;
	info->flags &= ~(CK_FLAGS)CKF_USER_PIN_COUNT_LOW; /* of SoftHSM, after a wrong PIN */
	if (rv == CKR_OK && mode("few"))
		info->flags |= CKF_USER_PIN_COUNT_LOW;
	if (rv == CKR_OK && mode("final"))
		info->flags |= CKF_USER_PIN_FINAL_TRY;
	return rv;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify,
			  CK_SESSION_HANDLE *out)
{
	note("session");
	return real->C_OpenSession(slot, flags, arg, notify, out);
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG n)
{
	note(user == CKU_CONTEXT_SPECIFIC ? "login again" : "login");
	if (mode("locks"))
		return CKR_PIN_LOCKED;
	return mode("expired") ? CKR_PIN_EXPIRED : real->C_Login(session, user, pin, n);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG n, CK_BYTE *sig, CK_ULONG *sig_n)
{
	note("sign");
	if (mode("removed"))
		return CKR_DEVICE_REMOVED;
	CK_RV rv = real->C_Sign(session, data, n, sig, sig_n);
	if (rv == CKR_OK && mode("lies"))
		sig[0] ^= 1;
	if (rv == CKR_OK && mode("empty"))
		*sig_n = 0;
	return rv;
}

void *dlopen(const char *name, int flags)
{
	void *(*next)(const char *, int) = NULL;
	void *symbol = dlsym(RTLD_NEXT, "dlopen");
	memcpy(&next, &symbol, sizeof next);
	return mode("none") && name && strstr(name, "p11-kit") ? NULL : next(name, flags);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out)
{
	CK_C_GetFunctionList get = NULL;
	void *module = dlopen(getenv("TOKEN_MODULE"), RTLD_NOW);
	void *symbol = module ? dlsym(module, "C_GetFunctionList") : NULL;
	memcpy(&get, &symbol, sizeof get);
	if (!get || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	wrapped = *real;
	wrapped.C_GetTokenInfo = token_info;
	wrapped.C_OpenSession = open_session;
	wrapped.C_Login = login;
	wrapped.C_Sign = sign;
	*out = &wrapped;
	return CKR_OK;
}
