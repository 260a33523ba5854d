module corsguard

go 1.23.0

require (
	github.com/tetratelabs/proxy-wasm-go-sdk v0.24.0
	github.com/tidwall/gjson v1.20.0
	golang.org/x/net v0.35.0
	gopkg.in/yaml.v3 v3.0.1
)

require github.com/tetratelabs/wazero v1.7.2 // indirect

require (
	github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/sdk v0.0.0
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.0 // indirect
	golang.org/x/text v0.22.0 // indirect
)

replace github.com/tidwall/pretty => ./filter/config/pretty

replace github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/sdk => ./filter/abi/sdk
