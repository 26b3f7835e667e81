import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

@Controller('v1/hello')
class HelloController {
  @Get()
  hello(): string {
    return 'hi';
  }
}

@Module({ controllers: [HelloController] })
class AppModule {}

const app = await NestFactory.create(AppModule);
console.log(typeof app);
