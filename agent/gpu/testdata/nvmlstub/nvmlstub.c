/*
 * A stand-in for NVIDIA's management library, for tests of the real loading path:
 * built as libnvidia-ml.so.1 by gcc and as nvml.dll by mingw.
 *
 * It has the functions that the agent calls and nothing else. What it answers is
 * in the text file named by NVML_STUB_STATE, which is read at each call, so that
 * a test changes the "hardware" while the agent runs. Lines are "key=value":
 *
 *   driver=550.54.14  count=2
 *   name=NVIDIA H100 80GB HBM3  of every GPU; "NVIDIA Stub H100 0" and so on without it
 *   init=9            nvmlInit answers this
 *   gone=9            every other call answers this
 *   gen=1             a change makes handles stale until the next nvmlInit
 *   lost=0            this GPU answers NVML_ERROR_GPU_IS_LOST (15)
 *   nosupport=1       optional readings of this GPU answer NOT_SUPPORTED (3)
 *   ecc0=3  pending0=1  failed0=1
 *   xid=0:79,1:13     events, each delivered once, in order
 *   hang=1            readings block for ever
 *   arch=9            9 is Hopper, 7 Ampere
 *   cc=1              confidential computing is on (the default)
 *   multigpu=0        1: protected PCIe, on its own
 *   cccpu=3 ccgpu=1   what the machine could do
 *   report=0 cert=0   the attestation calls answer this
 *   oversize=1        they claim to have written more than their buffer holds
 *
 * Reports and certificates are genuine ones: NVML_STUB_REPORT names a file with the
 * report in hex, NVML_STUB_CHAIN one with the certificates in PEM. The stub can't
 * sign, so the nonce of the report is the one that it was made with.
 *
 * -DOLD leaves out every optional function, as an old driver does; -DANCIENT
 * leaves out a required one too; -DNOATTEST leaves out the attestation calls, as a
 * driver before R535 does.
 */
#define _GNU_SOURCE
#define _POSIX_C_SOURCE 200809L /* strtok_r of mingw */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef COUNT
#define COUNT 2
#endif

typedef int ret_t;
typedef struct { int index; } *dev_t_;
#define OK 0
#define UNINITIALIZED 1
#define INVALID 2
#define UNSUPPORTED 3
#define TIMEOUT 10
#define LOST 15

static struct { int index; } devices[64];
static int opened_gen = -1;
static int delivered;

static int get(const char *key, char *out, size_t n) {
	const char *path = getenv("NVML_STUB_STATE");
	FILE *f = path && *path ? fopen(path, "r") : NULL;
	char line[512];
	size_t k = strlen(key);
	int found = 0;
	if (!f) return 0;
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, key, k) && line[k] == '=') {
			line[strcspn(line, "\n")] = 0;
			snprintf(out, n, "%s", line + k + 1);
			found = 1;
		}
	fclose(f);
	return found;
}

static int num(const char *key, int def) {
	char b[128];
	return get(key, b, sizeof b) ? atoi(b) : def;
}

static int numi(const char *key, int i, int def) {
	char k[64];
	snprintf(k, sizeof k, "%s%d", key, i);
	return num(k, def);
}

static ret_t state(void) {
	int gone = num("gone", 0);
	if (gone) return gone;
	if (opened_gen < 0) return UNINITIALIZED;
	if (opened_gen != num("gen", 1)) return 999; /* what a reloaded driver answers to old handles */
	return OK;
}

static ret_t dev(void *d) {
	ret_t r = state();
	if (r) return r;
	while (num("hang", 0)) usleep(10000);
	return num("lost", -1) == ((dev_t_)d)->index ? LOST : OK;
}

static ret_t opt(void *d) {
	ret_t r = dev(d);
	if (r) return r;
	return num("nosupport", -1) == ((dev_t_)d)->index ? UNSUPPORTED : OK;
}

#define IDX(d) (((dev_t_)(d))->index)

ret_t nvmlInit_v2(void) {
	int r = num("init", 0);
	if (r) return r;
	opened_gen = num("gen", 1);
	for (int i = 0; i < 64; i++) devices[i].index = i;
	return OK;
}
ret_t nvmlShutdown(void) {
	if (opened_gen < 0) return UNINITIALIZED;
	opened_gen = -1;
	return OK;
}
ret_t nvmlSystemGetDriverVersion(char *v, unsigned int n) {
	ret_t r = state();
	if (r) return r;
	if (!get("driver", v, n)) snprintf(v, n, "550.54.14");
	return OK;
}
ret_t nvmlDeviceGetCount_v2(unsigned int *n) { *n = num("count", COUNT); return state(); }
ret_t nvmlDeviceGetHandleByIndex_v2(unsigned int i, void **d) {
	ret_t r = state();
	if (r) return r;
	if (i >= (unsigned)num("count", COUNT)) return INVALID;
	*d = &devices[i];
	return num("lost", -1) == (int)i ? LOST : OK;
}
ret_t nvmlDeviceGetName(void *d, char *s, unsigned int n) {
	if (!get("name", s, n)) snprintf(s, n, "NVIDIA Stub H100 %d", IDX(d));
	return dev(d);
}
ret_t nvmlDeviceGetUUID(void *d, char *s, unsigned int n) { snprintf(s, n, "GPU-stub-%d", IDX(d)); return dev(d); }

#ifndef ANCIENT
ret_t nvmlDeviceGetMemoryInfo(void *d, unsigned long long *m) {
	m[0] = 80ULL << 30; m[1] = 60ULL << 30; m[2] = 20ULL << 30;
	return dev(d);
}
#endif

#ifndef OLD
struct pci { char legacy[16]; unsigned int domain, bus, device, id, subsystem; char bus_id[32]; };
ret_t nvmlDeviceGetPciInfo_v3(void *d, struct pci *p) {
	memset(p, 0, sizeof *p);
	p->bus = 0x17 + IDX(d);
	return opt(d);
}
ret_t nvmlDeviceGetUtilizationRates(void *d, unsigned int *u) { u[0] = 42; u[1] = 7; return opt(d); }
ret_t nvmlDeviceGetTemperature(void *d, int sensor, unsigned int *t) { *t = 55; return sensor ? INVALID : opt(d); }
ret_t nvmlDeviceGetPowerUsage(void *d, unsigned int *mw) { *mw = 350000; return opt(d); }
ret_t nvmlDeviceGetTotalEccErrors(void *d, int type, int counter, unsigned long long *n) {
	*n = type == 1 ? numi("ecc", IDX(d), 0) : 5;
	return counter ? INVALID : opt(d);
}
ret_t nvmlDeviceGetRemappedRows(void *d, unsigned *c, unsigned *u, unsigned *pending, unsigned *failed) {
	*c = *u = 0;
	*pending = numi("pending", IDX(d), 0);
	*failed = numi("failed", IDX(d), 0);
	return opt(d);
}
ret_t nvmlEventSetCreate(void **set) { *set = &delivered; return state(); }
ret_t nvmlEventSetFree(void *set) { return set ? state() : INVALID; }
ret_t nvmlDeviceRegisterEvents(void *d, unsigned long long types, void *set) {
#ifdef _WIN32
	(void)d; (void)types; (void)set;
	return UNSUPPORTED; /* "For Linux only", says nvml.h */
#else
	return types == 8 && set ? opt(d) : INVALID;
#endif
}
struct event { void *device; unsigned long long type, data; unsigned int gi, ci; };
ret_t nvmlEventSetWait_v2(void *set, struct event *e, unsigned int ms) {
	char list[256], *save, *tok;
	int n = 0, gpu, code;
	ret_t r = state();
	(void)set; (void)ms;
	if (r) return r;
	if (!get("xid", list, sizeof list)) return TIMEOUT;
	for (tok = strtok_r(list, ",", &save); tok; tok = strtok_r(NULL, ",", &save))
		if (n++ == delivered && sscanf(tok, "%d:%d", &gpu, &code) == 2) {
			delivered++;
			memset(e, 0, sizeof *e);
			e->device = &devices[gpu];
			e->type = 8;
			e->data = code;
			return OK;
		}
	return TIMEOUT;
}

ret_t nvmlDeviceGetArchitecture(void *d, unsigned *arch) { *arch = num("arch", 9); return dev(d); }

#ifndef NOATTEST
struct caps { unsigned cpu, gpus; };
ret_t nvmlSystemGetConfComputeCapabilities(struct caps *c) {
	c->cpu = num("cccpu", 3);
	c->gpus = num("ccgpu", 1);
	return state();
}
struct cc { unsigned environment, feature, devtools; };
ret_t nvmlSystemGetConfComputeState(struct cc *c) {
	memset(c, 0, sizeof *c);
	c->feature = num("cc", 1);
	return state();
}
struct settings { unsigned version, environment, feature, devtools, multigpu; };
ret_t nvmlSystemGetConfComputeSettings(struct settings *c) {
	if (c->version != (sizeof *c | 1u << 24)) return 25; /* ARGUMENT_VERSION_MISMATCH */
	c->environment = c->devtools = 0;
	c->feature = num("cc", 1);
	c->multigpu = num("multigpu", 0);
	return state();
}

/* confidential answers as a driver does that talks no SPDM with its GPUs. */
static ret_t confidential(void *d) {
	ret_t r = dev(d);
	if (r) return r;
	return num("cc", 1) || num("multigpu", 0) ? OK : UNSUPPORTED;
}

static unsigned slurp(const char *env, unsigned char *out, size_t n) {
	const char *path = getenv(env);
	FILE *f = path ? fopen(path, "rb") : NULL;
	size_t got;
	if (!f) return 0;
	got = fread(out, 1, n, f);
	fclose(f);
	return (unsigned)got;
}

struct cert { unsigned size, attestation_size; unsigned char chain[0x1000], attestation[0x1400]; };
ret_t nvmlDeviceGetConfComputeGpuCertificate(void *d, struct cert *c) {
	ret_t r = confidential(d);
	if (!r) r = num("cert", 0);
	if (r) return r;
	memset(c, 0, sizeof *c);
	c->attestation_size = slurp("NVML_STUB_CHAIN", c->attestation, sizeof c->attestation);
	if (num("oversize", 0)) c->attestation_size = sizeof c->attestation + 1;
	return c->attestation_size ? OK : 999;
}

struct report {
	unsigned cec_present, size, cec_size;
	unsigned char nonce[32], report[0x2000], cec[0x1000];
};
ret_t nvmlDeviceGetConfComputeGpuAttestationReport(void *d, struct report *p) {
	static unsigned char hex[2 * sizeof p->report + 2];
	unsigned i, n, byte;
	ret_t r = confidential(d);
	if (!r) r = num("report", 0);
	if (r) return r;
	n = slurp("NVML_STUB_REPORT", hex, sizeof hex);
	p->cec_present = p->cec_size = 0;
	for (i = 0; 2 * i + 1 < n && i < sizeof p->report && sscanf((char *)hex + 2 * i, "%2x", &byte) == 1; i++)
		p->report[i] = byte;
	p->size = i;
	return i ? OK : 999;
}
#endif
#endif
