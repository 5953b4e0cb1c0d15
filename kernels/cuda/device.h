// What a device says of itself.
#pragma once

#include "archwright_cuda.h"

namespace archwright::cuda {

// Throw `Error`: AW_CUDA_NO_DRIVER, AW_CUDA_NO_DEVICE, AW_CUDA_INVALID for a number out of range.
int countDevices();
void requireDevice(int device);
aw_cuda_facts readFacts(int device);

}  // namespace archwright::cuda
