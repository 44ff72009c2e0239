// libmanifesto from Go: prints IMAGE when it meets REQUIREMENT, such as qa-approval=qa; otherwise the status says why not.
//
//	go run verify.go IMAGE REQUIREMENT    with MANIFESTO_HOME, MANIFESTO_CACHE and MANIFESTO_TRUST_SERVER as for verify.c
package main

// #cgo pkg-config: manifesto
// #include <manifesto/manifesto.h>
// #include <stdlib.h>
import "C"
import (
	"fmt"
	"os"
	"unsafe"
)

func env(name string) *C.char {
	if value, found := os.LookupEnv(name); found {
		return C.CString(value)
	}
	return nil
}

// A list that ends with NULL, in C memory, because Go's memory may not hold pointers that C reads.
func list(text string) **C.char {
	array := (*[2]*C.char)(C.calloc(2, C.size_t(unsafe.Sizeof((*C.char)(nil)))))
	array[0] = C.CString(text)
	return &array[0]
}

func main() {
	options := C.struct_manifesto_options{size: C.sizeof_struct_manifesto_options, home: env("MANIFESTO_HOME"),
		cache_dir: env("MANIFESTO_CACHE"), trust_server: env("MANIFESTO_TRUST_SERVER")}
	verify := C.struct_manifesto_verify_options{size: C.sizeof_struct_manifesto_verify_options,
		images: list(os.Args[1]), nimages: 1, require: list(os.Args[2])}
	var context *C.struct_manifesto
	var failure C.struct_manifesto_error
	if C.manifesto_new(&options, &context, &failure) < 0 || C.manifesto_verify(context, &verify, &failure) < 0 {
		fmt.Fprintln(os.Stderr, "verify:", C.GoString(&failure.message[0]))
		os.Exit(int(failure.status))
	}
	fmt.Println(os.Args[1])
}
