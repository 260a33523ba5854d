package conformance_test

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/yaml"
)

const controller = "corsguard.example/gateway-controller"

// holds is a condition that is met.
func holds(kind string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: kind, LastTransitionTime: metav1.Now()}
}

// gateway is the Gateway that the suite's routes name, as a controller would have it: programmed, at this address.
func gateway(host string, port int32) *gatewayv1.Gateway {
	ip := gatewayv1.IPAddressType
	return &gatewayv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Name: "same-namespace", Namespace: suite.InfrastructureNamespace},
		Spec: gatewayv1.GatewaySpec{Listeners: []gatewayv1.Listener{{
			Name: "http", Port: port, Protocol: gatewayv1.HTTPProtocolType,
		}}},
		Status: gatewayv1.GatewayStatus{
			Addresses:  []gatewayv1.GatewayStatusAddress{{Type: &ip, Value: host}},
			Conditions: []metav1.Condition{holds("Accepted"), holds("Programmed")},
			Listeners: []gatewayv1.ListenerStatus{{
				Name: "http", AttachedRoutes: 4, Conditions: []metav1.Condition{holds("Accepted"), holds("Programmed"), holds("ResolvedRefs")},
			}},
		},
	}
}

// routes are the HTTPRoutes of a manifest, accepted by their parents.
func routes(manifest []byte) ([]*gatewayv1.HTTPRoute, error) {
	group, kind := gatewayv1.Group(gatewayv1.GroupName), gatewayv1.Kind("Gateway")
	var all []*gatewayv1.HTTPRoute
	for document := range bytes.SplitSeq(manifest, []byte("\n---\n")) {
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		route := &gatewayv1.HTTPRoute{}
		if err := yaml.UnmarshalStrict(document, route); err != nil {
			return nil, err
		}
		if route.Kind != "HTTPRoute" {
			return nil, fmt.Errorf("a %s %s among the routes", route.Kind, route.Name)
		}
		for i := range route.Spec.ParentRefs {
			parent := &route.Spec.ParentRefs[i]
			parent.Group, parent.Kind = &group, &kind // an API server fills in these defaults
			route.Status.Parents = append(route.Status.Parents, gatewayv1.RouteParentStatus{
				ParentRef: *parent, ControllerName: controller, Conditions: []metav1.Condition{holds("Accepted"), holds("ResolvedRefs")},
			})
		}
		all = append(all, route)
	}
	return all, nil
}

// cluster is the API server that the suite asks for its Gateway and its routes. It is a fake that has accepted them: what is tested is what comes
// through the gateway, and Corsguard has no controller.
func cluster(manifest []byte, host string, port int32) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := gatewayv1.Install(scheme); err != nil {
		return nil, err
	}
	all, err := routes(manifest)
	if err != nil {
		return nil, err
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(gateway(host, port))
	for _, route := range all {
		builder.WithObjects(route)
	}
	return builder.Build(), nil
}
