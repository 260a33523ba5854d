module github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/sdk

go 1.23.0

require github.com/tetratelabs/proxy-wasm-go-sdk v0.24.0
