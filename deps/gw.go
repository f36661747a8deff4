package deps

import _ "github.com/grpc-ecosystem/grpc-gateway/runtime"
