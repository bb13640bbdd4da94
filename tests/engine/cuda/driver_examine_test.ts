/** What doctor is told of a machine's CUDA. Needs gcc. */
import assert from "node:assert/strict";
import { describeDevice } from "../../../src/engine/cuda/driver/description.ts";
import { Device } from "../../../src/engine/cuda/driver/device.ts";
import { examineCuda } from "../../../src/engine/cuda/driver/examine.ts";
import { testWithFakes } from "./fakes/build.ts";

const DRIVER = { source: "fake_driver.c", library: "libcuda.so.1" };
const MANAGEMENT = { source: "fake_management.c", library: "libnvidia-ml.so.1" };
const NVRTC = { source: "fake_nvrtc.c", library: "libnvrtc.so.12" };
const CUBLASLT = { source: "fake_cublaslt.c", library: "libcublasLt.so.12" };
const KERNELS = { name: "ordered", source: "a kernel\n", flags: ["--std=c++17"] };

testWithFakes("examineCuda() shows each part that is there", [DRIVER, MANAGEMENT, NVRTC, CUBLASLT], async (folder) => {
  const findings = await examineCuda({ libraryFolders: [folder], onlyThere: true, kernels: [KERNELS] });
  const [kernels, ...parts] = findings.toReversed();
  assert.deepEqual(parts.toReversed(), [
    {
      name: "GPU",
      good: true,
      detail: "Fake GPU 40, sm_90, 1016 multiprocessors, 0.1 GiB of 0.1 GiB free, driver 550.54.15 for CUDA 12.4 " +
        `(${folder}/libcuda.so.1)`,
    },
    { name: "NVRTC", good: true, detail: `NVRTC 12.4, sm_90 to sm_90 (${folder}/libnvrtc.so.12)` },
    { name: "cuBLASLt", good: true, detail: `cuBLASLt 13.4.2 (${folder}/libcublasLt.so.12)` },
  ]);
  assert.equal(kernels?.name, "kernels ordered");
  assert.match(kernels?.detail ?? "", /^[0-9a-f]{64}, by NVRTC 12\.4 for sm_90, image [0-9a-f]{64}$/);
});

testWithFakes("examineCuda() says for each missing part what to install", [], async (folder) => {
  const findings = await examineCuda({ libraryFolders: [folder], onlyThere: true, kernels: [KERNELS] });
  assert.deepEqual(findings.map(({ name, good }) => [name, good]), [["GPU", false], ["NVRTC", false], [
    "cuBLASLt",
    false,
  ]]);
  const [gpu, nvrtc, cublaslt] = findings.map(({ detail }) => detail);
  assert.match(gpu ?? "", /install the NVIDIA driver/);
  assert.match(nvrtc ?? "", /pip install nvidia-cuda-nvrtc/);
  assert.match(cublaslt ?? "", /pip install nvidia-cublas/);
});

testWithFakes("describeDevice() gives the facts that bits depend on", [DRIVER, MANAGEMENT], (folder) => {
  const places = { libraryFolders: [folder], onlyThere: true };
  using device = Device.open(places);
  const facts = {
    gpu: "Fake GPU 40",
    "compute capability": "9.0",
    multiprocessors: "1016",
    "device memory": "67108864 bytes",
    "CUDA of the driver": "12.4",
    "driver release": "550.54.15",
  };
  assert.deepEqual(describeDevice(device.properties, places), facts);
  assert.deepEqual(describeDevice(device.properties, { onlyThere: true }), { ...facts, "driver release": "unknown" });
});
