/*
 * Go's runtime takes its random numbers from ProcessPrng of bcryptprimitives.dll,
 * which Windows has since 7 and wine before 9 lacks. This one passes the call on.
 */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T n) { return RtlGenRandom(data, (ULONG)n); }
