// Lists campaigns over gRPC: `TOKEN=... go run . 127.0.0.1:9102`.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	campaigns "dandelion.example/client/gen/dandelion/campaigns/v1"
)

func main() {
	// Plaintext is for one machine; behind the gateway use credentials.NewTLS.
	channel, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer channel.Close()
	call, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	call = metadata.AppendToOutgoingContext(call, "authorization", "Bearer "+os.Getenv("TOKEN"))
	answer, err := campaigns.NewCampaignQueryServiceClient(channel).ListCampaigns(
		call, &campaigns.ListCampaignsRequest{PageSize: 10})
	if err != nil {
		log.Fatal(err)
	}
	for _, campaign := range answer.Campaigns {
		fmt.Println(campaign.Brief.Title, campaign.ReservedMinor, campaign.Brief.Currency)
	}
	fmt.Println(len(answer.Campaigns), "campaigns")
}
