/*
 * The C interface of libarchwright_cuda: what an NVIDIA GPU is, and how fast it copies, multiplies
 * matrices and starts kernels, measured by our own kernels.
 *
 * Every function but the first two returns a status; on anything but AW_CUDA_OK its outputs are
 * unspecified and `aw_cuda_last_error` tells, for the calling thread, what happened. No exception
 * leaves the library. Calls may come from any thread; measurements of one device must not overlap.
 * Needs a driver at run time only. Arrays belong to the caller. Structs may only grow at a new
 * version of the interface.
 */
#ifndef ARCHWRIGHT_CUDA_H_
#define ARCHWRIGHT_CUDA_H_

#include <stdint.h>

#if defined(_WIN32)
#ifdef AW_CUDA_BUILD
#define AW_CUDA_API __declspec(dllexport)
#else
#define AW_CUDA_API
#endif
#else
#define AW_CUDA_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised by any change that a program compiled before it would not survive. */
#define AW_CUDA_ABI_VERSION 1

typedef int32_t aw_cuda_status;
enum {
  AW_CUDA_OK = 0,
  AW_CUDA_NO_DRIVER = 1,   /* no driver, or one too old for this library */
  AW_CUDA_NO_DEVICE = 2,   /* a driver, but no device that it may use */
  AW_CUDA_INVALID = 3,     /* an argument is out of range */
  AW_CUDA_UNSUPPORTED = 4, /* this device has no such unit, or this library no code for it */
  AW_CUDA_FAILED = 5       /* a call of CUDA failed, memory ran out */
};

/* AW_CUDA_ABI_VERSION of the library. */
AW_CUDA_API int32_t aw_cuda_abi_version(void);

/* What the last failed call of this thread says; "" if none failed. Valid until the next call. */
AW_CUDA_API const char* aw_cuda_last_error(void);

/* ---- facts ---------------------------------------------------------------------------------- */

AW_CUDA_API aw_cuda_status aw_cuda_device_count(int32_t* count);

typedef struct aw_cuda_facts {
  char name[256];
  char pci_bus_id[32];
  int32_t capability_major;
  int32_t capability_minor;
  int32_t multiprocessors;
  int32_t sm_clock_khz;     /* highest */
  int32_t memory_clock_khz; /* highest */
  int32_t memory_bus_bits;
  int32_t ecc; /* 0 or 1 */
  int32_t driver_version;  /* of CUDA that the driver supports: 1000 * major + 10 * minor */
  int32_t runtime_version; /* of CUDA that this library was built with */
  int64_t memory_bytes;
  int64_t l2_bytes;
  int64_t shared_bytes_per_block; /* most that one block may have */
} aw_cuda_facts;

AW_CUDA_API aw_cuda_status aw_cuda_device_facts(int32_t device, aw_cuda_facts* facts);

/* What NVML tells right now; a field is -1 where the device or the driver does not tell. */
typedef struct aw_cuda_state {
  int64_t clock_event_reasons; /* NVML's bit mask of why clocks are lower than they could be */
  int64_t power_milliwatts;
  int64_t energy_millijoules; /* since the driver was loaded */
  int64_t memory_used_bytes;
  int64_t memory_total_bytes;
  int64_t sm_clock_mhz;
  int64_t memory_clock_mhz;
  int64_t temperature_celsius;
  int64_t utilization_percent;
} aw_cuda_state;

/* NVML is opened at run time; AW_CUDA_UNSUPPORTED where there is none. */
AW_CUDA_API aw_cuda_status aw_cuda_device_state(int32_t device, aw_cuda_state* state);

/* ---- samples -------------------------------------------------------------------------------- */

typedef int32_t aw_cuda_quantity;
enum {
  /* Bytes a second, `size` bytes each time. Within the device, bytes read and written both count. */
  AW_CUDA_COPY_DEVICE = 0,        /* cudaMemcpy from device memory to device memory */
  AW_CUDA_COPY_KERNEL = 1,        /* the same by a kernel of 16-byte accesses */
  AW_CUDA_COPY_TO_DEVICE = 2,     /* from page-locked host memory */
  AW_CUDA_COPY_TO_HOST = 3,       /* to page-locked host memory */
  AW_CUDA_PAGEABLE_TO_DEVICE = 4, /* from ordinary host memory */
  AW_CUDA_PAGEABLE_TO_HOST = 5,   /* to ordinary host memory */
  /* Nanoseconds; `size` is ignored. */
  AW_CUDA_LAUNCH_ENQUEUE = 6,    /* host's time for the call that launches an empty kernel */
  AW_CUDA_LAUNCH_START = 7,      /* from that call to the host seeing what the kernel wrote first */
  AW_CUDA_LAUNCH_ROUND_TRIP = 8, /* from that call to the host knowing of the kernel's end */
  /* Hertz of one multiprocessor, by a kernel that watches both clocks for `size` nanoseconds. */
  AW_CUDA_SM_CLOCK = 9
};

/* Warms up, then fills `samples` with `count` samples of `quantity`. */
AW_CUDA_API aw_cuda_status aw_cuda_sample(int32_t device, aw_cuda_quantity quantity, int64_t size,
                                          int32_t count, double* samples);

/* ---- matrix products ------------------------------------------------------------------------ */

/*
 * C[m,n] = A[m,k] B[n,k]^T, all row-major, accumulated in float32. C has the type of A and B, but
 * float32 for tf32 (float32 numbers of which the unit reads 19 bits).
 */
typedef int32_t aw_cuda_kernel;
enum {
  AW_CUDA_FLOAT32 = 0,    /* ordinary multiply-adds */
  AW_CUDA_TF32_MMA = 1,   /* tensor cores by mma.sync, sm_80 and later */
  AW_CUDA_BF16_MMA = 2,   /* likewise */
  AW_CUDA_TF32_WGMMA = 3, /* tensor cores by wgmma and the bulk copy engine, sm_90 alone */
  AW_CUDA_BF16_WGMMA = 4  /* likewise */
};
#define AW_CUDA_KERNEL_COUNT 5

/* Sets `supported` to 1 where the device can run the kernel, else to 0. */
AW_CUDA_API aw_cuda_status aw_cuda_kernel_supported(int32_t device, aw_cuda_kernel kernel,
                                                    int32_t* supported);

/* Warms up on random matrices, then fills `samples` with `count` rates, operations a second. */
AW_CUDA_API aw_cuda_status aw_cuda_matrix_rate(int32_t device, aw_cuda_kernel kernel, int64_t m,
                                               int64_t n, int64_t k, int32_t count,
                                               double* samples);

/*
 * Multiplies random matrices into a poisoned C and compares with float64 on the host: all elements,
 * or 16384 drawn ones where there are more than 2^28 multiplications to be done. `error` is the
 * largest |c - reference| / sum |a| |b|; infinite where an element was not written or is not finite,
 * or where anything outside C was written. Rounding stays below 2^-20 for float32, 2^-18 for tf32
 * (the tensor cores cut off what they add), 2^-8 for bf16.
 */
AW_CUDA_API aw_cuda_status aw_cuda_self_test(int32_t device, aw_cuda_kernel kernel, int64_t m,
                                             int64_t n, int64_t k, uint64_t seed, double* error);

/* ---- tools for timing other work on the device ------------------------------------------------ */

/* Overwrites twice as many bytes as the L2 cache has, and waits. */
AW_CUDA_API aw_cuda_status aw_cuda_flush_l2(int32_t device);

/* Two events on a stream (a cudaStream_t; null is the default stream). */
typedef struct aw_cuda_timer aw_cuda_timer;
AW_CUDA_API aw_cuda_status aw_cuda_timer_create(int32_t device, aw_cuda_timer** timer);
AW_CUDA_API aw_cuda_status aw_cuda_timer_start(aw_cuda_timer* timer, void* stream);
AW_CUDA_API aw_cuda_status aw_cuda_timer_stop(aw_cuda_timer* timer, void* stream);
/* Waits for the stop and gives the time between, nanoseconds. */
AW_CUDA_API aw_cuda_status aw_cuda_timer_elapsed(aw_cuda_timer* timer, double* ns);
/* Null is allowed. */
AW_CUDA_API void aw_cuda_timer_destroy(aw_cuda_timer* timer);

#ifdef __cplusplus
}
#endif

#endif /* ARCHWRIGHT_CUDA_H_ */
