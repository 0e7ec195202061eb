// Command marshal writes a PodIdentity as Go's encoding/asn1 does, of eight arguments.
package main

import (
	"encoding/asn1"
	"os"
)

type podIdentity struct {
	Namespace          string `asn1:"tag:0,utf8"`
	NamespaceUID       string `asn1:"tag:1,utf8"`
	ServiceAccountName string `asn1:"tag:2,utf8"`
	ServiceAccountUID  string `asn1:"tag:3,utf8"`
	PodName            string `asn1:"tag:4,utf8"`
	PodUID             string `asn1:"tag:5,utf8"`
	NodeName           string `asn1:"tag:6,utf8"`
	NodeUID            string `asn1:"tag:7,utf8"`
}

func main() {
	a := os.Args[1:]
	der, err := asn1.Marshal(podIdentity{a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]})
	if err != nil {
		panic(err)
	}
	os.Stdout.Write(der)
}
